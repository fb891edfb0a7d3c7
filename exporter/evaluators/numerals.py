"""Small numbers as words."""

from .vocabulary import Vocabulary

_NAMES = (
    "one eins un uno um een один 一 하나",
    "two zwei deux dos due dois twee два 二 둘",
    "three drei trois tres tre três drie три 三 셋",
    "four vier quatre cuatro quattro quatro четыре 四 넷",
    "five fünf cinq cinco cinque vijf пять 五 다섯",
    "six sechs seis sei zes шесть 六 여섯",
    "seven sieben sept siete sette sete zeven семь 七 일곱",
    "eight acht huit ocho otto oito восемь 八 여덟",
    "nine neun neuf nueve nove negen девять 九 아홉",
    "ten zehn dix diez dieci dez tien десять 十 열",
    "eleven elf onze once undici одиннадцать 十一",
    "twelve zwölf douze doce dodici doze twaalf двенадцать 十二",
)
_TENS = (
    "twenty zwanzig vingt veinte venti vinte twintig двадцать 二十",
    "thirty dreißig trente treinta trenta trinta dertig тридцать 三十",
    "forty vierzig quarante cuarenta quaranta quarenta veertig сорок 四十",
    "fifty fünfzig cinquante cincuenta cinquanta cinquenta vijftig пятьдесят 五十",
    "sixty sechzig soixante sesenta sessanta sessenta zestig шестьдесят 六十",
    "seventy siebzig setenta settanta zeventig семьдесят 七十",
    "eighty achtzig ochenta ottanta oitenta tachtig восемьдесят 八十",
    "ninety neunzig noventa novanta negentig девяносто 九十",
)
_TEENS = (
    *("thirteen dreizehn treize trece tredici", "fourteen vierzehn quatorze catorce quattordici"),
    *("fifteen fünfzehn quinze quince quindici", "sixteen sechzehn seize sedici", "seventeen siebzehn diciassette"),
    *("eighteen achtzehn diciotto", "nineteen neunzehn diciannove"),
)
_NUMBERS = {
    **dict(enumerate(_NAMES, 1)),
    **dict(enumerate(_TEENS, 13)),
    **{10 * tens: names for tens, names in enumerate(_TENS, 2)},
}
_DIGITS = {name.encode(): b"%d" % number for number, names in _NUMBERS.items() for name in names.split()}
_WORDS = {b"%d" % number: tuple(names.encode().split()) for number, names in _NUMBERS.items()}
_ALL = Vocabulary(b" ".join([*_DIGITS, *_WORDS]))
_NONE = Vocabulary(b"")


def without_known(strange: Vocabulary, known: Vocabulary | tuple[str | bytes, ...]) -> Vocabulary:
    """The words less the numerals that are known, but written in another way."""
    if not _ALL.overlap(strange):
        return strange
    words = strange.words()
    others = {word: (_DIGITS[word],) if word in _DIGITS else _WORDS.get(word, ()) for word in words}
    asked = Vocabulary(b" ".join([other for several in others.values() for other in several]))
    unknown = set(asked.against(known, _NONE)[1].words())
    return Vocabulary(b" ".join([word for word in words if not others[word] or unknown.issuperset(others[word])]))
