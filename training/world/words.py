"""The vocabulary of the world: a few hundred content words, their synonyms, numbers and dates.

A slot of the grammar, like `{thing}`, is filled from `SLOTS`. A filling has the word of a text
and the words that mean the same (`otherwise`), so that a question can ask for it without sharing
a word with the text that answers it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 48, 49),
    "orange": (240, 140, 40),
    "yellow": (247, 208, 56),
    "green": (56, 158, 84),
    "blue": (48, 104, 206),
    "purple": (132, 74, 176),
    "pink": (242, 136, 178),
    "brown": (132, 84, 48),
    "black": (40, 42, 48),
    "white": (246, 246, 242),
    "grey": (140, 146, 154),
}

COUNTS = ("no", "one", "two", "three", "four", "five", "six")

PEOPLE = (
    "Anna Ben Clara David Emma Felix Greta Hugo Ines Jonas Karla Leo Maria Nina Oscar Paula "
    "Robert Sofia Tom Vera Walter Julia Martin Lena"
).split()
SURNAMES = "Keller Brandt Lang Winter Moreau Rossi Novak Berg Costa Stone Fischer Hill".split()
MONTHS = (
    "January February March April May June July August September October November December"
).split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
STREETS = (
    "Lindenstrasse", "Garden Street", "Mill Lane", "Station Road", "Harbour Street",
    "Church Lane", "Park Road", "Castle Street", "River Lane", "Market Street",
)  # fmt: skip
COMPANIES = (
    "Brandt and Sons", "North Star", "Blue Harbour", "Keller Works", "Green Leaf", "Silver Line",
    "Old Mill", "Sunrise",
)  # fmt: skip
HOTELS = (
    "Golden Lion", "Grand Central", "Sea View", "White Rose", "Old Bridge", "Blue Moon",
    "Royal Garden", "Four Winds",
)  # fmt: skip
PET_NAMES = "Bella Charlie Luna Max Milo Nala Oskar Rocky Simba Daisy".split()


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the world and the other words for the same thing, if it has any."""

    text: str
    otherwise: tuple[str, ...] = ()


def _table(text: str) -> tuple[Word, ...]:
    """`word = other, another; word = other` as words."""
    words = []
    for entry in text.split(";"):
        spoken, _, otherwise = entry.strip().partition("=")
        others = tuple(other.strip() for other in otherwise.split(",") if other.strip())
        words.append(Word(spoken.strip(), others))
    return tuple(words)


SLOTS: dict[str, tuple[Word, ...]] = {
    "thing": _table(
        "boiler = heating system; fridge = refrigerator, icebox; washing machine = laundry"
        " appliance; sink = basin; tap = faucet; oven = stove; lift = elevator; roof = top of the"
        " building; doorbell = chime; window = pane of glass; sofa = couch, settee; carpet = rug;"
        " lamp = light; mirror = looking glass; wardrobe = closet; fence = hedge; toilet = loo;"
        " chimney = smoke outlet; staircase = steps; letter box = place for the mail;"
        " blind = window shade; shower = bathing cabin"
    ),
    "room": _table(
        "kitchen = place where we cook; bathroom = place where we wash; bedroom = place where we"
        " sleep; cellar = basement; attic = loft; hall = corridor, entrance area; garage = place"
        " for the car; garden = yard; living room = lounge, parlour; balcony = terrace;"
        " office = study; nursery = place for the baby"
    ),
    "craft": _table(
        "plumber = pipe fitter; electrician = wiring expert; carpenter = woodworker;"
        " gardener = plant expert; mechanic = engine expert; painter = decorator;"
        " locksmith = lock expert; roofer = tile expert; cleaner = housekeeper; baker = bread maker"
    ),
    "doctor": _table(
        "doctor = physician; dentist = tooth expert; eye doctor = vision specialist;"
        " vet = animal physician; lawyer = attorney; hairdresser = barber; bank = money house;"
        " tax adviser = accountant"
    ),
    "tool": _table(
        "drill = boring machine; ladder = climbing frame; hammer = nail beater; saw = wood cutter;"
        " tent = camping shelter; suitcase = travel bag; bicycle = bike; camera = photo device;"
        " guitar = string instrument; projector = beamer; lawn mower = grass cutter;"
        " pump = air blower; sewing machine = stitching device; novel = story book;"
        " kayak = paddle boat; scale = weighing device"
    ),
    "item": _table(
        "passport = travel document; wallet = purse; hearing aid = listening help; umbrella = rain"
        " protection; phone charger = power cable; ring = jewel; scarf = neck warmer;"
        " first aid box = bandage kit; map = city plan; torch = flashlight; watch = wrist clock;"
        " contract = signed agreement; photo album = picture book; sleeping bag = camping bed;"
        " spare key = second latch opener; certificate = official diploma"
    ),
    "gift": _table(
        "bicycle = bike; guitar = string instrument; book = something to read; clock = timepiece;"
        " lamp = light; kite = flying toy; hat = cap; chess game = board with kings and queens;"
        " football = leather ball; teapot = can for hot drinks; necklace = jewellery;"
        " backpack = rucksack; puzzle = riddle; blanket = warm cover"
    ),
    "device": _table(
        "radio = wireless; printer = paper machine; coffee machine = espresso maker;"
        " vacuum cleaner = dust sucker; dishwasher = machine for plates; camera = photo device;"
        " heater = warming device; alarm clock = waking device; headset = earphones;"
        " television = screen; toaster = bread warmer; router = internet box;"
        " electric bike = motor bicycle; thermostat = temperature regulator; blender = mixer"
    ),
    "goods": _table(
        "chairs = seats; desks = work tables; screens = monitors; laptops = portable computers;"
        " cups = mugs; boxes = crates; brochures = leaflets; shirts = tops; books = printed works;"
        " lamps = lights; tiles = floor plates; shelves = racks; pens = writing tools;"
        " bottles = flasks; plants = greenery; batteries = power cells"
    ),
    "project": _table(
        "website = internet page; new office = future workplace; summer party = warm season"
        " celebration; catalogue = product list; trade fair = exhibition; shop = store;"
        " staff canteen = eating place; warehouse = storage hall; advertising = publicity;"
        " customer survey = opinion poll; software update = program renewal;"
        " garden project = planting plan; kitchen renovation = cooking area rebuild"
    ),
    "report": _table(
        "report = written summary; offer = proposal; budget plan = money overview;"
        " press release = news text; speech = talk; invitation = guest letter;"
        " timetable = schedule; contract draft = first version of the agreement;"
        " presentation = slides; price list = table of costs; newsletter = circular;"
        " user manual = handbook"
    ),
    "dish": _table(
        "apple cake = fruit pie; bread = loaf; lasagne = pasta layers; pizza = flat dough with"
        " cheese; potato soup = tuber broth; vegetable curry = spicy greens; pancakes = crepes;"
        " fish pie = seafood pastry; rice pudding = sweet grain dessert; roast chicken = grilled"
        " hen; cookies = biscuits; mushroom risotto = fungi dish; lentil stew = pulse casserole;"
        " cheese tart = quiche; chocolate mousse = cocoa cream; tomato sauce = red topping"
    ),
    "ingredient": _table(
        "flour = ground wheat; sugar = sweetener; butter = dairy fat; rice = white grains;"
        " tomatoes = red vegetables; onions = bulbs; honey = what bees make; nuts = kernels;"
        " cream = thick dairy; carrots = orange roots; spinach = dark leaves; raisins = dried"
        " grapes"
    ),
    "food": _table(
        "milk; bread; eggs; apples; cheese; coffee; tea; tomatoes; butter; rice; fish; honey;"
        " potatoes; lemons; salad; bananas"
    ),
    "city": _table(
        "Berlin = the German capital; Vienna = the Austrian capital; Lisbon = the Portuguese"
        " capital; Oslo = the Norwegian capital; Prague = the Czech capital; Rome = the Italian"
        " capital; Paris = the French capital; Madrid = the Spanish capital; Dublin = the Irish"
        " capital; London = the British capital; Athens = the Greek capital; Warsaw = the Polish"
        " capital; Budapest = the Hungarian capital; Copenhagen = the Danish capital;"
        " Stockholm = the Swedish capital; Helsinki = the Finnish capital; Venice = the canal"
        " town; Hamburg = the Elbe harbour; Munich = the Bavarian metropolis; Zurich = the Swiss"
        " banking town"
    ),
    "museum": _table(
        "art = paintings; history = the past; science = research; train = railways;"
        " fashion = clothes; toy = playthings; ship = vessels; music = melodies"
    ),
    "vehicle": _table(
        "car = automobile; bicycle = bike; boat = small ship; van = transporter;"
        " scooter = moped; canoe = paddle vessel"
    ),
    "subject": _table(
        "Spanish = the language of Madrid; swimming = moving in water; cooking = preparing meals;"
        " painting = making pictures; dancing = moving to music; first aid = helping the injured;"
        " photography = taking pictures; pottery = making clay bowls; yoga = stretching;"
        " chess = the game of kings; Italian = the language of Rome; sewing = stitching"
    ),
    "waste": _table(
        "paper waste = old newspapers; glass waste = empty bottles; garden waste = leaves and"
        " branches; plastic waste = wrapping; kitchen waste = food scraps; metal waste = empty cans"
    ),
    "medicine": _table(
        "cough syrup = remedy for the throat; eye cream = ointment for the lids;"
        " iron powder = remedy against weak blood; nose spray = remedy against a cold;"
        " skin oil = lotion; vitamin juice = healthy liquid; sleeping tea = drink for the night;"
        " pain gel = ointment against aches; ear balm = remedy for bad hearing"
    ),
    "plant": _table(
        "cactus = prickly green; orchid = exotic flower; fern = leafy green; palm = tropical tree;"
        " rose = thorny flower; basil = cooking herb; olive tree = oil fruit; ivy = climbing green"
    ),
    "pet": _table(
        "cat = kitten; dog = puppy; parrot = talking bird; rabbit = bunny; hamster = rodent;"
        " tortoise = shelled reptile; pony = little horse; goldfish = swimming companion"
    ),
    "department": _table(
        "sales = selling; design = drawing; finance = money; support = helping customers;"
        " research = inventing; training = teaching; press = media; legal = law"
    ),
    "event": _table(
        "concert = live music; wedding = marriage; football match = ball game; theatre play ="
        " stage drama; flea market = second hand sale; summer fair = warm season fete;"
        " book reading = author evening; school play = drama by pupils; birthday party = yearly"
        " celebration; bicycle race = contest on two wheels; lecture = scholarly talk;"
        " fireworks = coloured rockets"
    ),
    "spot": _table(
        "station; market; bridge; museum; harbour; library; fountain; town hall; park gate;"
        " bakery; church; school"
    ),
    "state": _table(
        "ready = prepared; empty = used up; too hot = overheating; locked = closed; full = filled;"
        " offline = disconnected; charging = taking power; dirty = unclean"
    ),
    "fault": _table(
        "leaks = drips; squeaks = makes noise; is broken = out of order; is loose = wobbly;"
        " is blocked = stuck; smells = stinks; is cold = not warm; rattles = shakes"
    ),
}

_NUMBERS: dict[str, range | tuple[int, ...]] = {
    "few": range(2, 10),
    "number": range(2, 41),
    "minutes": range(5, 95, 5),
    "degrees": range(140, 240, 10),
    "grams": range(50, 650, 50),
    "code": range(1000, 10000),
    "invoice": range(100, 1000),
    "times": range(2, 5),
    "percent": range(5, 55, 5),
}


def fill(slot: str, rng: random.Random) -> Word:
    """A filling of a slot; a digit at the end (`person2`) only tells two slots apart. Raises
    KeyError for a slot the world does not know."""
    name = slot.rstrip("0123456789")
    if name in SLOTS:
        return rng.choice(SLOTS[name])
    if name in _NUMBERS:
        return Word(str(rng.choice(_NUMBERS[name])))
    return Word(_FILLERS[name](rng))


def amount(rng: random.Random) -> str:
    """A sum of money: small change as often as a month's rent."""
    size = rng.random()
    if size < 0.35:
        number = rng.randrange(3, 100)
    elif size < 0.8:
        number = rng.randrange(100, 1000, 10)
    else:
        number = rng.randrange(1000, 9600, 100)
    return f"{number} euros"


def price(rng: random.Random) -> str:
    """What a ticket or a small thing costs."""
    number = rng.randrange(3, 100) if rng.random() < 0.7 else rng.randrange(100, 500, 10)
    return f"{number} euros"


def day(rng: random.Random) -> str:
    return rng.choice(WEEKDAYS)


def date(rng: random.Random) -> str:
    return f"{rng.randrange(1, 29)} {rng.choice(MONTHS)}"


def time(rng: random.Random) -> str:
    """A time of day on the quarter hour, 24-hour clock: 9:30."""
    return f"{rng.randrange(6, 22)}:{rng.choice(('00', '15', '30', '45'))}"


_FILLERS: dict[str, Callable[[random.Random], str]] = {
    "amount": amount,
    "price": price,
    "rent": lambda rng: f"{rng.randrange(400, 2400, 10)} euros",
    "day": day,
    "date": date,
    "time": time,
    "month": lambda rng: rng.choice(MONTHS),
    "person": lambda rng: rng.choice(PEOPLE),
    "surname": lambda rng: rng.choice(SURNAMES),
    "street": lambda rng: f"{rng.choice(STREETS)} {rng.randrange(1, 60)}",
    "company": lambda rng: rng.choice(COMPANIES),
    "hotel": lambda rng: rng.choice(HOTELS),
    "name": lambda rng: rng.choice(PET_NAMES),
    "colour": lambda rng: rng.choice(list(COLOURS)),
}
