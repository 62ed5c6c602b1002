"""The form of a language's words, and the words that all languages share."""

from dataclasses import dataclass

CATEGORIES = ("FASHION", "HEALTH_BEAUTY", "ELECTRONICS", "HOME_FURNITURE", "MOTORS", "OTHER")


@dataclass(frozen=True)
class Language:
    """The words of one language.

    Attributes:
        products: Per category, its product families.
        materials: Per category, its materials.
        colors: Colours.
        patterns: Patterns of cloth and surfaces.
        groups: Consumer groups.
        cues: Per entity type, the words that may stand before it; "-" for none.
        gift_cues: Words before a thing that comes free with the product.
        fit_cue: Word before the thing that the product is made for.
        ads: Advertising phrases, without any word of an entity.
        traps: Phrases of any category in which a word looks like an entity and is none.
        category_traps: The same, per category.
        companions: Ordinary words that are part of some brand names.
        notices: Titles that sell nothing; "#" stands for a number.
        orders: The orders in which the parts of a title come.
    """

    products: dict[str, tuple[str, ...]]
    materials: dict[str, str]
    colors: str
    patterns: str
    groups: str
    cues: dict[str, str]
    gift_cues: str
    fit_cue: str
    ads: str
    traps: str
    category_traps: dict[str, str]
    companions: str
    notices: str
    orders: tuple[str, ...]


# Openings / endings: every opening goes with every ending.
BRANDS = {
    "FASHION": "Velqu, Sarvu, Milzo, Kandro, Tesvi, Ombru, Lyzza, Jovri, Wendu, Afrilo, Quessi"
    " / mane, tinka, rook, lessa, vio",
    "HEALTH_BEAUTY": "Nuvle, Dermuo, Floziu, Aquizo, Belvu, Sinuo, Cuvri, Hazzei, Ylfa, Ozmei"
    " / rine, lumi, dessa, via, quel",
    "ELECTRONICS": "Zortu, Voxqui, Tekru, Ampru, Quandro, Bytzo, Nexru, Krypvo, Ohmzi, Pixlu"
    " / dex, lon, mik, ster, vant",
    "HOME_FURNITURE": "Hovlu, Casbru, Domqui, Livro, Nestru, Tavqua, Furlo, Ruvmo, Cozbri, Plinqu"
    " / hem, lund, dora, wick, mesa",
    "MOTORS": "Torqvu, Gribzo, Velozu, Rodqua, Kurvzo, Pistru, Asfo, Drivzu, Motqui, Brumvo"
    " / max, gard, rik, tron, pex",
    "OTHER": "Pambo, Tiluqi, Gromfi, Sukzu, Wiblo, Crunvo, Juglo, Pindru, Zazquo, Fenklo, Mupri"
    " / pip, yolo, nim, kato, bru",
}
LINES = "Alvor, Bexim, Corvuz, Delfuz, Estrun, Fulmiz, Gantri, Havlo, Indrus, Jarvuz, Kestor,"
" Lumbra"
SIZES = {
    "FASHION": "XL, size #, M - XXL, L, # cm",
    "HEALTH_BEAUTY": "# ml, #ml, # gr, #g, # pcs",
    "ELECTRONICS": "#W, # mAh, # GB, 220V, USB, # m",
    "HOME_FURNITURE": "# x # cm, #cm, # L, # pcs",
    "MOTORS": "# cc, # / 90, 12V, # L, # mm",
    "OTHER": "# gr, 1 kg, # pcs, A4, #g",
}
