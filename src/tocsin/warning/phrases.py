"""Every sentence that the public reads, by language: a table for translators.

To add a language, copy a table, translate what is right of the colons, leave the words in {braces}
as they are, and give ``plural`` the forms that your language has, in the order of its rule in
wording.py. A test compares the keys and the braces of all tables.
"""

from __future__ import annotations

from typing import NamedTuple


class Phrases(NamedTuple):
    """The texts of one language."""

    event: str
    headline: dict[str, str]  # by what is said: take-cover, update, all-clear, withdrawn
    description: dict[str, str]
    instruction: dict[str, str]
    soon: dict[str, str]  # left: some minutes; now: less than one
    area: dict[str, str]  # places, more, people, none (a place is near), nowhere
    short_area: dict[str, str]  # for the headline: inside, near, nowhere
    plural: dict[str, tuple[str, ...]]
    compass: tuple[str, ...]  # from north, clockwise, eight
    thousands: str  # between groups of three digits


ENGLISH = Phrases(
    event="EXERCISE: falling objects",
    headline={
        "take-cover": "EXERCISE. Take cover now: {place}. Objects may fall from about {first} UTC.",
        "update": "EXERCISE. Updated area, take cover: {place}. Objects may fall from about {first} UTC.",
        "all-clear": "EXERCISE. All clear: {place}.",
        "withdrawn": "EXERCISE. Warning withdrawn: {place}. Nothing is coming down.",
    },
    description={
        "take-cover": "This is an exercise; there is no real danger. Objects may fall in this area between"
        " {first} and {last} UTC, the first {soon}. Area: {area}.",
        "update": "This is an exercise; there is no real danger. This message replaces the earlier ones. Objects may"
        " fall in this area between {first} and {last} UTC, the first {soon}. Area: {area}.",
        "all-clear": "This is an exercise; there was no real danger. Nothing more is falling."
        " The danger in this area is over. Area: {area}.",
        "withdrawn": "This is an exercise; there was no real danger. New measurements show that nothing will come"
        " down here. The warning is withdrawn. Area: {area}.",
    },
    instruction={
        "take-cover": "In a real warning: go indoors now, to a shelter, a cellar or an inner room without windows."
        " Caught outside, lie down in a hollow or behind a solid wall and cover your head. Stay there until the"
        " all-clear. You will hear from us again by {again} UTC.",
        "update": "In a real warning: if you are in this area, take cover now, or stay in cover, until the all-clear."
        " If you are outside it, stay out of it. You will hear from us again by {again} UTC.",
        "all-clear": "You can leave cover. In a real event: do not touch what has fallen, keep others away, and tell"
        " the emergency services where it lies.",
        "withdrawn": "You can leave cover. There is nothing more to do.",
    },
    soon={"left": "in about {minutes}", "now": "at any moment"},
    area={
        "places": "{names}",
        "more": "{names} and {more}",
        "people": "{places}; about {people} people",
        "none": "no known town or village; {distance} km {direction} of {name}",
        "nowhere": "as drawn on the map",
    },
    short_area={
        "inside": "{name} and surroundings",
        "near": "{distance} km {direction} of {name}",
        "nowhere": "area on the map",
    },
    plural={
        "minutes": ("{n} minute", "{n} minutes"),
        "more": ("{n} more place", "{n} more places"),
    },
    compass=("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"),
    thousands=",",
)

UKRAINIAN = Phrases(
    event="НАВЧАННЯ: падіння об’єктів",
    headline={
        "take-cover": "НАВЧАННЯ. Негайно в укриття: {place}. Можливе падіння об’єктів приблизно з {first} UTC.",
        "update": "НАВЧАННЯ. Район уточнено, перебувайте в укритті: {place}. Можливе падіння об’єктів"
        " приблизно з {first} UTC.",
        "all-clear": "НАВЧАННЯ. Відбій: {place}.",
        "withdrawn": "НАВЧАННЯ. Попередження скасовано: {place}. Нічого не падає.",
    },
    description={
        "take-cover": "Це навчання, справжньої небезпеки немає. У цьому районі між {first} та {last} UTC можуть упасти"
        " об’єкти, перший — {soon}. Район: {area}.",
        "update": "Це навчання, справжньої небезпеки немає. Це повідомлення замінює попередні. У цьому районі між"
        " {first} та {last} UTC можуть упасти об’єкти, перший — {soon}. Район: {area}.",
        "all-clear": "Це навчання, справжньої небезпеки не було. Більше нічого не падає."
        " Небезпека в цьому районі минула. Район: {area}.",
        "withdrawn": "Це навчання, справжньої небезпеки не було. За новими вимірюваннями тут нічого не впаде."
        " Попередження скасовано. Район: {area}.",
    },
    instruction={
        "take-cover": "За справжньої тривоги: негайно зайдіть до укриття, підвалу або внутрішньої кімнати без вікон."
        " Якщо ви надворі, ляжте в заглибину чи за міцну стіну й прикрийте голову. Залишайтеся там до відбою."
        " Наступне повідомлення надійде не пізніше {again} UTC.",
        "update": "За справжньої тривоги: якщо ви в цьому районі, негайно зайдіть в укриття або залишайтеся в ньому до"
        " відбою. Якщо ви поза районом, не заходьте до нього. Наступне повідомлення надійде не пізніше"
        " {again} UTC.",
        "all-clear": "Можна вийти з укриття. За справжньої події: не торкайтеся того, що впало, не підпускайте інших і"
        " повідомте рятувальників, де воно лежить.",
        "withdrawn": "Можна вийти з укриття. Більше нічого робити не потрібно.",
    },
    soon={"left": "приблизно через {minutes}", "now": "будь-якої миті"},
    area={
        "places": "{names}",
        "more": "{names} та ще {more}",
        "people": "{places}; близько {people} людей",
        "none": "без відомих населених пунктів; за {distance} км на {direction} від населеного пункту {name}",
        "nowhere": "як позначено на карті",
    },
    short_area={
        "inside": "{name} та околиці",
        "near": "за {distance} км на {direction} від населеного пункту {name}",
        "nowhere": "район на карті",
    },
    plural={
        "minutes": ("{n} хвилину", "{n} хвилини", "{n} хвилин"),
        "more": ("{n} населений пункт", "{n} населені пункти", "{n} населених пунктів"),
    },
    compass=(
        "північ",
        "північний схід",
        "схід",
        "південний схід",
        "південь",
        "південний захід",
        "захід",
        "північний захід",
    ),
    thousands="\N{NO-BREAK SPACE}",
)

PHRASES = {"en": ENGLISH, "uk": UKRAINIAN}
