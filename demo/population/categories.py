"""The thirty categories of companies, and how people pay in each of them."""

from dataclasses import dataclass
from enum import Enum


class Rhythm(Enum):
    """How often a client pays a company that it has adopted."""

    BILL = "monthly, on a day of its own"
    HABIT = "often"
    OCCASION = "a few times a year"


@dataclass(frozen=True)
class Category:
    """`typical` is the median amount, `spread` the sigma of its logarithm between payments (0: always the same amount).

    `share` weighs how many companies there are, `weekend` a Saturday or Sunday against another day;
    the year swings by `swing` around its peak in the month `peak`.
    """

    name: str
    rhythm: Rhythm
    typical: float
    spread: float
    share: float
    nouns: tuple[str, ...]
    weekend: float = 1.0
    peak: int = 1
    swing: float = 0.0


_BILL, _HABIT, _OCCASION = Rhythm.BILL, Rhythm.HABIT, Rhythm.OCCASION

CATEGORIES = (
    Category("Electricity", _BILL, 58, 0.18, 1.0, ("Energy", "Power", "Electric"), peak=1, swing=0.25),
    Category("Gas heating", _BILL, 46, 0.25, 0.6, ("Gas", "Heating"), peak=1, swing=0.6),
    Category("Water", _BILL, 24, 0.12, 0.6, ("Water", "Waterworks")),
    Category("Internet", _BILL, 37, 0.0, 0.8, ("Fibre", "Net", "Broadband")),
    Category("Mobile phone", _BILL, 19, 0.0, 0.9, ("Mobile", "Telecom")),
    Category("Streaming", _BILL, 11, 0.0, 0.9, ("Play", "Stream", "Music")),
    Category("Insurance", _BILL, 42, 0.0, 1.3, ("Insurance", "Mutual", "Assurance")),
    Category("Rent and community", _BILL, 420, 0.0, 1.2, ("Homes", "Estates", "Residences")),
    Category("Gyms", _BILL, 34, 0.0, 0.8, ("Fitness", "Gym", "Sports Club")),
    Category("Schools", _BILL, 175, 0.05, 0.8, ("School", "Nursery", "Academy")),
    Category("Groceries", _HABIT, 34, 0.55, 1.6, ("Market", "Foods", "Grocers"), weekend=1.6),
    Category("Bakeries", _HABIT, 6, 0.4, 1.2, ("Bakery", "Bread"), weekend=1.5),
    Category("Coffee", _HABIT, 5, 0.35, 1.2, ("Coffee", "Cafe"), weekend=0.7),
    Category("Restaurants", _HABIT, 27, 0.5, 2.2, ("Kitchen", "Grill", "Tavern", "Pizza"), weekend=2.2),
    Category("Food delivery", _HABIT, 21, 0.35, 0.6, ("Delivery", "Eats"), weekend=1.8),
    Category("Fuel", _HABIT, 48, 0.3, 0.9, ("Fuel", "Petrol"), weekend=1.2, peak=8, swing=0.15),
    Category("Public transport", _HABIT, 12, 0.5, 0.5, ("Transit", "Lines", "Metro"), weekend=0.5),
    Category("Taxis", _HABIT, 13, 0.45, 0.6, ("Cabs", "Taxi"), weekend=1.7),
    Category("Parking", _HABIT, 5, 0.4, 0.5, ("Parking", "Garage"), weekend=0.8),
    Category("Pharmacies", _HABIT, 15, 0.6, 1.2, ("Pharmacy", "Chemists"), weekend=0.6, peak=1, swing=0.3),
    Category("Clothing", _OCCASION, 52, 0.6, 1.8, ("Fashion", "Wear", "Shoes"), weekend=2.0, peak=12, swing=0.4),
    Category("Electronics", _OCCASION, 120, 0.9, 1.0, ("Electronics", "Digital"), weekend=1.5, peak=12, swing=0.6),
    Category("Books and stationery", _OCCASION, 21, 0.6, 0.9, ("Books", "Paper"), weekend=1.3, peak=9, swing=0.5),
    Category("Furniture and home", _OCCASION, 85, 0.9, 1.0, ("Home", "Interiors"), weekend=2.0, peak=5, swing=0.2),
    Category("Garden and tools", _OCCASION, 38, 0.7, 0.8, ("Garden", "Tools"), weekend=2.2, peak=5, swing=0.6),
    Category("Toys", _OCCASION, 29, 0.5, 0.6, ("Toys", "Games"), weekend=1.7, peak=12, swing=0.9),
    Category("Travel", _OCCASION, 190, 0.8, 1.2, ("Travel", "Air", "Hotels"), peak=7, swing=0.6),
    Category("Hairdressers", _OCCASION, 28, 0.35, 1.3, ("Hair", "Barbers"), weekend=1.4),
    Category("Leisure", _OCCASION, 22, 0.5, 1.1, ("Cinema", "Theatre", "Tickets"), weekend=2.5, peak=6, swing=0.2),
    Category("Health", _OCCASION, 70, 0.6, 1.3, ("Dental", "Clinic", "Optics"), weekend=0.2),
)
