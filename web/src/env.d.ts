declare module "virtual:basemap" {
  const packed: string;
  export default packed;
}
