"""Guesses a text's language from its script and its small words; says None rather than guess badly."""

import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Literal

from .lexicon import Lexicon
from .scripts import composed
from .words import plain, read, spaced

Language = Literal["en", "de", "fr", "es", "it", "pt", "nl", "ru", "zh", "ja", "ko", "ar", "hi"]
Spoken = Language | Literal["other"]
"""A language that is known here, or one that surely is none of them."""

_SMALL_WORDS: dict[str, str] = {
    "en": """the and of to that it for with this are not you have be on as at by your can from will what how there their
        has would i'm my if we our they which when""",
    "de": """der die und das ist nicht ein eine mit für auf den von zu im sich auch wird wie aus ich sie es kann dem bei
        oder wenn aber ihnen ihre ihr wir leider dabei nur sind haben dass zum""",
    "fr": """le la les et des est pas une pour dans que qui sur avec du vous ce au plus sont de en je a été ne cette
        votre mais ou peux nous il elle mon ça désolé par parce son ses""",
    "es": """el de en a los las y que es una por con para del se no como más pero lo su está son puedo esta este eso
        siento mi la le al usted hay sus""",
    "it": """il di a in che è per una non con del sono della gli nel più anche come si ma questo dei posso mi questa la
        lo un può alla dispiace suo""",
    "pt": """o a é de em que do da uma não para com os na se mais como mas ao você dos são posso isso meu minha um seu
        sua está pelo por ajudar desculpe""",
    "nl": """de het een en van is niet dat op te met voor zijn ook aan maar wordt bij naar uit ik kan u dit deze daar je
        om helaas mijn uw geen hier""",
}
_OTHER_WORDS: dict[str, str] = {
    "pl": "nie się jest w na do że z i to jak ale tym mogę dla po za są przepraszam pomóc",
    "cs": "je se na že není to v s pro jsem ale jak nemohu bohužel vám omlouvám si jako tím",
    "sk": "je sa na že nie to v s pre som ale ako nemôžem bohužiaľ vám prepáčte",
    "hr": "je se na da nije u i za ali kako ne mogu žao to s od su vam pomoći sam",
    "sl": "je se na da ni v in za ampak kako ne morem žal to so vam pomagati",
    "hu": "a az és nem hogy egy is ez de van meg sajnálom tudok ebben segíteni kérem",
    "ro": "și nu este în la de pe că cu un o să pentru îmi pare rău pot acest din",
    "tr": "bir ve bu için ile de da çok ne bunu değil üzgünüm konuda yardımcı olamam size ama var",
    "az": "və bu bir üçün ilə də da çox nə deyil bağışlayın kömək edə bilmərəm",
    "fi": "ja on ei se että en voi mutta valitettavasti tässä auttaa ole tämä pahoillani asiassa sinua kun",
    "et": "ja on ei see et kuid ma kahjuks selles aidata vabandust seda kui oma teid",
    "lv": "un ir nav es ar par to ka diemžēl nevaru palīdzēt bet lai no šo",
    "lt": "ir yra ne aš su kad bet deja negaliu padėti tai iš šiuo jums",
    "sv": "och är inte det att jag en som på med för kan tyvärr hjälpa detta om av till dig har",
    "da": "og er ikke det at jeg en som på med for kan desværre hjælpe dette om af til dig beklager",
    "no": "og er ikke det at jeg en som på med for kan dessverre hjelpe dette om av til deg beklager",
    "is": "og er ekki það að ég sem á með fyrir get því miður hjálpað þetta um til þér",
    "id": "yang dan di ini itu tidak saya untuk dengan dari maaf bisa dapat membantu anda adalah ke akan",
    "tl": "ang ng sa na hindi ko ako ay po mga iyan ito paumanhin makatulong lang para kung",
    "vi": "tôi không thể và là của bạn với này cho có xin lỗi giúp yêu cầu trong được",
    "sw": "na ya wa kwa ni hii siwezi samahani kukusaidia katika lakini hilo za la",
    "af": "die en is nie het ek kan nie jy vir met dit van om jammer help ongelukkig hierdie",
    "ca": "el els les i que és una per amb no com més però ho puc aquesta ajudar sento amb això",
    "gl": "o os que do da en unha non para con as na se máis como pero podo axudar isto síntoo",
    "eu": "eta da ez bat du hori dut baina barkatu ezin lagundu honetan naiz",
    "ga": "agus an na is ní tá ar go le sin seo brón orm cabhrú leat",
    "cy": "a y yn i ac mae nid gyda hyn ddim alla ddrwg gen helpu chi",
    "sq": "dhe nuk është për me të në një më këtë vjen keq mund ndihmoj por",
    "eo": "kaj la ne estas mi por kun en tio sed bedaŭrinde povas helpi vin",
    "la": "et in est non ad cum quod sed ut possum hoc tibi",
    "so": "iyo waa ma ku ka in aan la kan raalli ahow caawin karo",
    "ms": "yang dan di ini itu tidak saya untuk dengan dari maaf boleh membantu anda",
    "uz": "va bu bir uchun bilan men emas kechirasiz yordam bera olmayman",
}


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_IN_ENGLISH_TOO = _set(
    """a ad an as at come con de die do el en for go hat have he i in is it la las lo me men more no not of om on or par
    pas per pot pro si so son te to us was we"""
)
_NOT_ENGLISH = " ".join(
    word
    for words in (_SMALL_WORDS | _OTHER_WORDS).values()
    for word in words.split()
    if word not in _IN_ENGLISH_TOO and word not in _SMALL_WORDS["en"].split()
)
_PLACES = {name: place for place, name in enumerate(_SMALL_WORDS | _OTHER_WORDS)}
_LEXICON = Lexicon([plain(words) for words in (*(_SMALL_WORDS | _OTHER_WORDS).values(), _NOT_ENGLISH)])

_SCRIPTS: tuple[tuple[str, Spoken], ...] = (
    ("\u0400-\u04ff", "ru"),
    ("\u0600-\u06ff", "ar"),
    ("\u0900-\u097f", "hi"),
    ("\u3040-\u30ff", "ja"),
    ("\uac00-\ud7af", "ko"),
    ("\u3400-\u9fff", "zh"),
    ("\u0370-\u03ff\u0530-\u05ff\u0700-\u08ff\u0980-\u10ff\u1200-\u18ff\u1e00-\u1e00\ua000-\uabff", "other"),
)
_SCRIPT_LETTERS = tuple((re.compile(f"[{ranges}]"), name) for ranges, name in _SCRIPTS)
_NOT_LATIN = re.compile("[" + "".join(ranges for ranges, _ in _SCRIPTS) + "]")
_LATIN_LETTERS = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_FOREIGN = re.compile("[ćčďđěğħıķĺľłńňőřśşšťůűźżžąęėįųūģļņāēīơưạảấầẩậắặẹẻẽếềểệỉịọỏốồổộớờởợụủứừửữựỳỵỷỹșțăøåðþæ]")
_WORDS = re.compile(r"[^\s!-/:-@।॥،؟؛]+")

_BESIDES: dict[str, tuple[re.Pattern[str], frozenset[str]]] = {
    "ru": (
        re.compile("[іїєґўђјљњћџәғқңөұүһѓќ]"),
        _set("се да ще съм сте това може че ви са ли как или мога съжалявам за от тази"),
    ),
    "ar": (re.compile("[پچژگکیٹڈڑںےۀ]"), frozenset()),
    "hi": (
        re.compile("[ळ]"),
        _set("आहे आहेत आणि मध्ये नाही मी तुम्ही करू शकत छ छन् र मा लाई गर्न म तपाईं छैन सक्दिन"),
    ),
}
"""Letters and words of other languages that are written in the script of a known one."""
_OWN: dict[str, frozenset[str]] = {
    "ru": _set("что не это вы для мы но если чтобы можно вам с я могу и в на по к вас этот"),
    "hi": _set("है हैं में के की का और से को नहीं पर यह मैं आप हूँ हूं इस कर"),
}

_MARK_START = "\u3010"
"""Begins a citation mark that may hold any words; no other mark holds a small one."""
_LOOKED_AT = 4000
_SAMPLE = 800
_FEWEST_HITS = 3
_FEW_WORDS = 12
_TIMES = 1.3


def language_of(text: str) -> Language | None:
    """The language of a text, or None where it is too short, too mixed or none that is known here."""
    seen = spoken(text)
    return None if seen == "other" else seen


def outside(text: str, known: AbstractSet[Language]) -> bool:
    """Whether a text surely is in none of these languages; short texts and code are in none surely."""
    seen = spoken(text)
    return seen is not None and seen not in known


def strange_to(text: str, others: Iterable[str]) -> bool:
    """Whether a text surely is in another language than each of the others, so that their words cannot be compared."""
    seen = spoken(text)
    if seen is None:
        return False
    for one in others:
        other = _spoken(one[:_LOOKED_AT])
        if other is None or other == seen:
            return False
    return True


def small_words(text: str, language: Spoken) -> int | None:
    """How many small words of a language a text has; None of a language that is told by its script."""
    place = _PLACES.get(language)
    return None if place is None else _counts(text[:_LOOKED_AT])[place]


def spoken(text: str) -> Spoken | None:
    """The language of a text, "other" for one that is not known here, or None where that cannot be told."""
    return remembered(text[:_LOOKED_AT])


def _spoken(text: str) -> Spoken | None:
    if not text.isascii() and _NOT_LATIN.search(text) and (script := _by_script(text[:_SAMPLE])):
        return script
    return _by_words(text)


remembered = lru_cache(maxsize=40)(_spoken)
"""What ``spoken`` said of the last texts: several evaluators ask."""


def _by_script(text: str) -> Spoken | None:
    counts: dict[Spoken, int] = {name: len(letters.findall(text)) for letters, name in _SCRIPT_LETTERS}
    together = counts["zh"] + counts["ja"] + counts["ko"]
    if 2 * sum(counts.values()) + together < len(_LATIN_LETTERS.findall(text)):
        return None
    if counts["ja"] > 0.05 * together:  # Japanese mixes kana with the characters that it shares with Chinese
        counts["ja"] = together
    name = max(counts, key=lambda one: counts[one])
    return "other" if name in _BESIDES and _is_beside(name, text, counts[name]) else name


def _is_beside(name: str, text: str, count: int) -> bool:
    """Whether a text is in another language that shares the script."""
    letters, words = _BESIDES[name]
    if len(letters.findall(text)) > 0.01 * count:
        return True
    seen = set(_WORDS.findall(text.lower()))
    return len(seen & words) > len(seen & _OWN.get(name, frozenset())) + 1


def _counts(text: str) -> list[int]:
    """How many small words of each language a text has, and last how many of others than English."""
    text = composed(text)
    if _MARK_START in text:
        text = read(text).text
    return _LEXICON.counts(spaced(text))


def _by_words(text: str) -> Spoken | None:
    *hits, not_english = _counts(text)
    if hits[0] >= _FEWEST_HITS and hits[0] > _TIMES * not_english:
        return "en"
    words = len(read(text).vocabulary)
    others = max(hits[len(_SMALL_WORDS) :])
    foreign = 0 if text.isascii() else len(_FOREIGN.findall(text.lower()[:_SAMPLE]))
    known = dict(zip(_SMALL_WORDS, hits, strict=False))
    first = max(known, key=lambda name: known[name])
    second = max(count for name, count in known.items() if name != first)
    if _is_other(words, known[first], others, foreign):
        return "other"
    fewest = _FEWEST_HITS if words > _FEW_WORDS else 2
    return first if known[first] >= fewest and known[first] > _TIMES * max(second, others) else None  # type: ignore[return-value]


def _is_other(words: int, known: int, others: int, foreign: int) -> bool:
    if foreign > 1 and known < _FEWEST_HITS and (others or (foreign > 5 and words > 7)):
        return True
    return (others >= _FEWEST_HITS or (words <= _FEW_WORDS and others >= 2 and not known)) and others > _TIMES * known
