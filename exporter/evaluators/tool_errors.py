"""The evaluator `tool_error`: did a tool fail? Decides by its span or message, else by the form of its result."""

from collections.abc import Mapping
from typing import Any

import msgspec
import re2

from ..model.score import Score
from ..model.trace import Trace
from .registry import evaluator

_MOST = 1000
"""Results of one trace that are looked at."""
_LONGEST = 16 * 1024
"""Characters of a result that is read as JSON: what tells of an error is short."""
_HEAD = 300
"""Characters in which a text says that it is an error."""
_DEPTH = 4
"""Levels of envelopes, such as MCP's list of parts, around what a tool returned."""

_COLON = "[:\uff1a]"
_ERROR_WORDS = "error|fehler|fout|errore?|erro|erreur|ошибка"
_DOING = (
    "executing|calling|running|invoking|fetching|reading|writing|opening|parsing|connecting|processing|accessing|"
    "retrieving|querying|sending|creating|loading|performing|during|while|occurred|response from|from server|"
    "code:? \\d|\\d{3}"
)
_STATUS = (
    "bad request|unauthori[sz]ed|payment required|forbidden|not found|method not allowed|request timeout|conflict|gone|"
    "payload too large|unprocessable|too many requests|internal server error|not implemented|bad gateway|"
    "service (?:temporarily )?unavailable|gateway time-?out"
)
_VERBS = (
    "connect|fetch|execute|call|run|read|open|load|find|parse|invoke|reach|retrieve|access|complete|process|get|"
    "resolve|create|write|send|decode|query|perform|locate|establish|authenticate|validate|list|import|start"
)
_ACTIONS = "tool|tool call|tool execution|execution|command|request|api call|call|query|connection|operation|function"
_OFTEN = "permission denied|access denied|rate limit exceeded|quota exceeded|timed? ?out|deadline exceeded"
_TEXT = re2.compile(
    "(?i)^(?:"
    r"traceback \(most recent call last\):"
    rf"|(?:[a-z]{{1,20}} ){{0,3}}(?:{_ERROR_WORDS})(?: -?\d{{3,6}}| \[[^\]]{{1,40}}\]| \([^)]{{1,40}}\))?"
    rf"(?:\]{_COLON}?| ?{_COLON}{{1,2}})\s*\S"
    rf"|(?:an? )?(?:[a-z]{{1,20}} )?(?:error|exception) (?:was raised |has )?(?:{_DOING})\b"
    rf"|(?:{_ERROR_WORDS}) (?:[-\x{{2013}}] \S|(?:in|with|from|at) [^:\n]{{1,60}}{_COLON} ?\S)"
    r"|\d{1,3} validation errors? for\b|(?:\w{1,40}\.){0,5}errors?\.\w{1,60}: ?\S|uncaught \w{0,40}error\b"
    r"|err_[a-z_]{3,40}\b|e(?:noent|acces|connrefused|timedout|exist|perm)\b|fatal: \S|failed: \S|something went wrong"
    r"|[\w./-]{1,30}: [^\n]{0,120}(?:no such file or directory|command not found|could not resolve|permission denied|"
    r"connection refused|connection timed out)\b"
    r"|the (?:operation|request|call) was (?:cancelled|canceled|aborted|rejected)\b"
    r"|(?:the )?(?:server|api|service) (?:responded with|returned) (?:an? )?(?:http )?"
    r"(?:status )?(?:code )?[45]\d\d\b"
    r"|connection (?:was )?(?:reset|closed|aborted) by|invalid (?:api key|access token|token|credentials)\b"
    r"|<(?:!doctype html|html)[^\x00]{0,200}<title>[^<]{0,20}\b[45]\d\d\b"
    r"|\{\s*['\"](?:error|exception)['\"]\s*:\s*['\"{][^'\"]"
    r"|(?:错误|出错|エラー|오류)"
    r"|[\w.]{0,80}(?:Error|Exception|Fault|Timeout)\d{0,3}(?:\(|: ?\S)"
    rf"|(?:http(?:/\d(?:\.\d)?)?|status(?: code)?|response)[ :]{{0,2}}(?:error )?[45]\d\d\b"
    rf"|(?:error )?[45]\d\d:? (?:(?:client|server) error|{_STATUS})\b"
    rf"|(?:failed to|could not|couldn't|unable to|cannot|can't) (?:{_VERBS})\b"
    rf"|(?:the )?(?:{_ACTIONS}) (?:has )?(?:failed|timed out|was refused|refused|was denied|errored|aborted|raised)\b"
    rf"|(?:{_OFTEN}|{_STATUS})(?:$|[.:!,(\n]| for | after | to )"
    r"|(?:exit|return)(?:ed with)? (?:code|status):? ?[1-9]"
    r"|(?:unknown|no such|invalid|unsupported) (?:tool|function|argument|parameter|command|file)s?\b"
    r"|(?:tool|function|file|command) [`'\"]?[^\s`'\"]{1,80}[`'\"]? "
    r"(?:not found|does not exist|is not available|failed)\b"
    r"|<(?:[a-z_]{1,20}_)?error>"
    ")"
)
_MARKS = " \t\r\n*_`#>[]❌⚠️✗🚫"
_NO_ERROR = re2.compile(
    rf"(?i)^[^\n:]{{0,60}}{_COLON}\s*(?:(?:none|no(?: errors?)?|0|null|nil|false|n/a)(?:[^\w ]|$)|is raised|thrown|"
    r"raised (?:when|if|by|for)|occurs|happens|means|indicates|base class)"
)
_OF_ERRORS = re2.compile(
    r"(?i)^\W*(?:error (?:rate|budget|code|count|handling|message|log|report|type|correction|margin|bar|boundar|page|"
    r"class)|(?:human|typing|rounding|measurement|standard|mean|average|known|common|past|previous|last|recent|top|"
    r"your) )"
)
_LOG_LINE = re2.compile(r"(?im)^\W{0,3}(?:\d[\d:.,TZ /-]{4,40} ?\W?)?(?:error|warn(?:ing)?|info|debug|fatal|trace)\b")


def _words(text: str) -> list[str]:
    return text.split()


_ENVELOPE = frozenset(
    _words(
        """
        error errors message msg detail details code status statuscode status_code http_status httpstatus reason type
        title success ok iserror is_error timestamp time path request_id requestid trace_id traceid instance
        documentation_url retry_after retryable stack stacktrace traceback exception errortype error_type error_code
        errorcode error_message errormessage error_description hint help result results data output response content
        jsonrpc meta metadata description suggestion suggestions valid_values allowed tool tool_name arguments params
        body headers
        """
    )
)
"""Names that stand beside an error; what has others is a record, which may tell of somebody's error."""
_SAYING = ("error", "errors", "exception", "error_message", "errormessage", "traceback")
_CODES = ("statuscode", "status_code", "http_status", "httpstatus", "status", "code", "error_code")
_FAILED = frozenset({"error", "fail", "failed", "failure", "exception", "errored"})
_RECORD = frozenset(
    _words(
        """
        id name level severity state job job_id run run_id build deployment service started_at finished_at created_at
        updated_at line file count window last_error ticket
        """
    )
)


@evaluator("tool_error", version="1")
def tool_error(trace: Trace) -> bool | Score | None:
    """No tool failed: none said so, and no result is an error; a result that tells of errors is none."""
    results = trace.tool_results
    if not results and not trace.tool_errors:
        return None
    looked_at = results[:_MOST]
    errors = max(trace.tool_errors, sum(map(is_error, looked_at)))
    if not errors:
        return True
    count = max(len(results), len(trace.tool_calls), errors)
    return Score(1 - errors / count, False, f"{errors} of {count} tool calls failed")


def is_error(result: str) -> bool:
    """Whether what a tool returned is an error, and not data that may tell of errors."""
    text = result[: _LONGEST + 1].strip()
    if text[:1] in ("{", "[", '"') and len(text) <= _LONGEST:
        try:
            return _is_error(msgspec.json.decode(text), _DEPTH)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            pass
    return _says_error(text)


def _is_error(value: Any, depth: int) -> bool:
    """The same of what JSON holds: a text, an object, a list of parts."""
    if isinstance(value, str):
        return _says_error(value.strip())
    if not depth:
        return False
    if isinstance(value, dict):
        return _tells_error({str(key).lower(): one for key, one in value.items()}, depth)
    if isinstance(value, list) and value and all(isinstance(one, dict) and "text" in one for one in value):
        return any(_is_error(one["text"], depth - 1) for one in value)
    return False


def _tells_error(fields: Mapping[str, Any], depth: int) -> bool:
    flag = fields.get("iserror", fields.get("is_error"))
    if flag is True:
        return True
    kind = fields.get("type")
    if isinstance(kind, str) and kind.startswith("error") and fields.keys() & {"value", "message", "error", "text"}:
        return True
    if fields.get("success") is True or fields.get("ok") is True:
        return False
    if any(fields.get(name) for name in _SAYING):
        return "jsonrpc" in fields or not fields.keys() & _RECORD
    if not fields.keys() <= _ENVELOPE:
        return False
    if fields.get("success") is False or fields.get("ok") is False or _has_bad_status(fields):
        return True
    return any(
        _is_error(fields[name], depth - 1)
        for name in ("content", "result", "output", "message", "msg", "detail")
        if name in fields
    )


def _has_bad_status(fields: Mapping[str, Any]) -> bool:
    """Whether an envelope has a status of HTTP that is an error, or says in a word that it failed."""
    codes = [fields.get(name) for name in _CODES]
    if any(type(code) is int and 400 <= code <= 599 for code in codes):
        return True
    status = fields.get("status")
    why = fields.keys() & {"message", "detail", "reason"}
    return isinstance(status, str) and status.lower() in _FAILED and bool(why)


def _says_error(text: str) -> bool:
    head = text.lstrip(_MARKS)[:_HEAD]
    if not head or not _found(_TEXT, head):
        return False
    if _found(_NO_ERROR, head) or _found(_OF_ERRORS, head):
        return False
    return not ("\n" in text and len(_lines(text)) > 1)


def _lines(text: str) -> list[Any]:
    """The lines of a log among the first lines of a text."""
    return list(_LOG_LINE.finditer(text[:_HEAD].encode("utf-8", "replace").decode()))


def _found(pattern: Any, text: str) -> bool:
    return pattern.search(text.encode("utf-8", "replace")) is not None
