"""The evaluator `language_match`: is an answer in the language of its question? Guesses by script and small words."""

import re
from collections.abc import Iterable

import re2

from ..model.score import Score, Skipped
from ..model.trace import Trace
from .languages import Spoken, small_words, spoken
from .registry import evaluator
from .words import ANSWER_LIMIT

_LEAST = 40
"""Bytes of an answer in UTF-8 at least; of one in a language that is not known here twice as many."""
_PLAIN = 3
"""Small words by which a text is plainly in a language."""
_ASKED = 600
"""Characters of a question's beginning by which its language is guessed, and of its end."""
_GIVEN = 64 * 1024
"""Characters of instructions and earlier messages in which a language may be asked for."""

_FENCED = re.compile(r"```.*?(?:```|\Z)|`[^`\n]{1,200}`", re.DOTALL)
_QUOTED = re.compile(
    r'(?m)^[ \t]{0,8}>.*$|"[^"\n]{2,400}"|“[^”\n]{2,400}”|„[^“”\n]{2,400}[“”]|«[^»\n]{2,400}»|「[^」\n]{2,400}」|'
    r"(?<!\w)'[^'\n]{2,400}'(?!\w)"
)
_PIECES = re.compile(r"[\n:\uff1a]+")

_NAMED: dict[Spoken, str] = {
    "en": """english englisch anglais ingl[eé]s inglese inglês engels английск 英语 英語 英文 영어 إنجليزي
        انجليزي अंग्रे""",
    "de": """german deutsch allemand alem[aá]n tedesco alemão duits немецк 德语 德語 德文 ドイツ語 독일어 ألماني
        जर्मन""",
    "fr": """french französisch fran[cç]ais franc[eé]s francese francês frans французск 法语 法語 法文
        フランス語 프랑스어 فرنسي फ़्रें फ्रें""",
    "es": """spanish spanisch espagnol español castellano spagnolo espanhol spaans испанск 西班牙 スペイン語
        스페인어 إسباني स्पेनिश""",
    "it": """italian italienisch italien italiaans итальянск 意大利 イタリア語 이탈리아어 إيطالي इतालवी""",
    "pt": """portugu[eê]s portugiesisch portugais portoghese portugees brasil португальск 葡萄牙 ポルトガル語
        포르투갈어 برتغالي पुर्तगाली""",
    "nl": """dutch niederländisch holländisch néerlandais hollandais neerland[eé]s holand[eé]s olandese holandês
        nederlands нидерландск голландск 荷兰语 荷蘭語 オランダ語 네덜란드어 هولندي डच""",
    "ru": """russian russisch russe ruso russo русск 俄语 俄語 俄文 ロシア語 러시아어 روسي रूसी""",
    "zh": """chinese mandarin cantonese chinesisch chinois chino cinese chinês chinees китайск 中文 汉语 漢語
        普通话 中国語 중국어 صيني चीनी""",
    "ja": """japan giapponese японск 日语 日語 日文 日本語 일본어 ياباني जापानी""",
    "ko": """korean coréen coreano koreaans корейск 韩语 韓語 韩文 韓国語 한국어 كوري कोरियाई""",
    "ar": """arab árabe арабск 阿拉伯 アラビア語 아랍어 عربي अरबी""",
    "hi": """hindi хинди 印地语 ヒンディー語 힌디어 هندي हिंदी हिन्दी""",
    "other": """polish polnisch polonais polaco polacco pools swedish schwedisch suédois sueco danish dänisch
        danois norwegian norwegisch finnish finnisch finnois turkish türkisch turc turco turks greek griechisch
        grec griego greco czech tschechisch tchèque checo ceco hungarian ungarisch hongrois romanian rumänisch
        roumain rumano ukrainian ukrainisch hebrew hebräisch hébreu hebreo vietnames vietnamien thai indones
        malay latin latein catal katalan esperanto swahili persian farsi persisch urdu bengali tamil croatian
        kroatisch serbian serbisch bulgarian bulgarisch slovak slowakisch irish gaelic welsh basque afrikaans
        icelandic tagalog filipino""",
}
"""What each language is called in those that are known here, in small letters."""
_NAMES = {language: re2.compile("(?i)" + "|".join(names.split())) for language, names in _NAMED.items()}
_TRANSLATES = re2.compile(
    r"(?i)translat|übersetz|uebersetz|\btradu[cisz]|vertaal|vertal|перевед|перевод|翻译|翻譯|訳し|翻訳|번역|ترجم|अनुवाद|"
    r"how (?:do|would|can) (?:you|i|we|one) say|how to say|wie sagt man|was heißt|wie heißt|"
    r"comment (?:dit-on|on dit|dire)|"
    r"c[oó]mo se dice|come si dice|como se diz|hoe zeg je|как сказать|怎么说|怎麼說|何と言|lyrics|poem|gedicht|paroles|"
    r"(?:my|native|mother|other|another|foreign) (?:language|tongue)|bilingual|multilingual|"
    r"sprache lernen|vocabular|vokabel"
)


@evaluator("language_match", version="1")
def language_match(trace: Trace) -> bool | Score | Skipped | None:
    """The answer is in the question's language, unless another was asked for; short texts and code have none."""
    question, answer = trace.question, trace.answer
    if not question or not answer or answer[0] in "{[<":
        return None
    asked = spoken(question[:_ASKED])
    if asked is None:
        return None
    if asked == "other":
        return Skipped("language")
    said = spoken(answer[:ANSWER_LIMIT])
    if said is None or said == asked:
        return None if said is None else True
    return _compared(trace, question, _own(answer[:ANSWER_LIMIT]), asked)


def _compared(trace: Trace, question: str, answer: str, asked: Spoken) -> bool | Score | None:
    """What is said of an answer that seems to be in another language, by its own words."""
    said = spoken(answer)
    if said == asked:
        return True
    if said is None or len(answer.encode("utf-8", "replace")) < (2 * _LEAST if said == "other" else _LEAST):
        return None
    if not (_plainly(question[:_ASKED], asked, said) and _plainly(answer, said, asked)):
        return None
    if not _surely(question, asked) or _is_asked_for(trace, said):
        return None
    return Score(0.0, False, f"the question is in {asked}, the answer in {_called(said)}")


def _called(language: Spoken) -> str:
    return "another language" if language == "other" else language


def _own(text: str) -> str:
    """A text without its code and quotations."""
    return _QUOTED.sub(" ", _FENCED.sub(" ", text)).strip()


def _plainly(text: str, language: Spoken, other: Spoken) -> bool:
    """Whether a text has some small words of its language, and many more than of the other one."""
    hits, against = small_words(text, language), small_words(text, other)
    if hits is None:
        return language != "other" or (against or 0) < _PLAIN
    return hits > 1 if against is None else hits >= max(_PLAIN, 2 * against + 1)


def _surely(question: str, asked: Spoken) -> bool:
    """Whether all parts of a question whose language can be told are in one: a text to work on may be in another."""
    own = _own(question[:ANSWER_LIMIT])
    pieces = [own[:_ASKED], own[-_ASKED:], *[piece for piece in _PIECES.split(own[: 2 * _ASKED]) if len(piece) > 1]]
    return {found for piece in pieces if (found := spoken(piece))} == {asked}


def _is_asked_for(trace: Trace, said: Spoken) -> bool:
    """Whether the user asks for a translation, or anybody for the answer's language by its name."""
    question = _utf8([trace.question or ""])
    instructions = _utf8([trace.system_prompt or "", *trace.earlier])
    names = _NAMES[said]
    if _TRANSLATES.search(question) is not None:
        return True
    return names.search(question) is not None or names.search(instructions) is not None


def _utf8(texts: Iterable[str]) -> bytes:
    return "\n".join(texts)[:_GIVEN].encode("utf-8", "replace")
