"""Words that engines, browsers and HTTP clients put into error messages: no name, address or order is made of them."""

from typing import Final

ERROR_WORDS: Final = frozenset(
    """
    a abort aborted access accessed accessing after allowed already an and any argument arguments array as assign
    assignment async at attempt attempting attempted available await bad be because before bigint blocked body
    boolean browser bug by byte
    bytes cached call callback called calling can cancel canceled cancelled cannot catch char character chunk circular
    class client clone closed code column component connect connection const constant constructor content context
    convert
    converting cookie cors could create cross css data deadlock decode defined delete denied deprecated destructure
    destructured did different document does dom duplicate element empty encode end engine error event exceed exceeded
    exception execute executing existing exists expected expired export extensible failed failure fetch field file
    finished for forbidden found frame from function gateway get getter given global handler has have header headers
    html
    http https hydration id identifier if ignored illegal import in incorrect index infinity initialization initialize
    initialized initializer input insecure instance instanceof integer internal invalid invariant invoked is isn it
    iterable iterator its javascript json key keyword label left length limit line load loaded loading local lock long
    loop malformed match matching maximum memory message method mime minified mismatch missing mixed mode module more
    multiple must name nan network new no node non not null number object octal of offline offset on one only opaque
    open
    operation operator option or origin other out outside overflow parameter parenthesis parse parsing payload pending
    permission policy port position private promise properties property protocol prototype provided proxy queue quota
    range read reading receiver recursion redirect redirected reference refused regexp regular rejected rejection
    reject render rendering request requested required reserved reset resizeobserver resolve resource response return
    returned right safe script section security self send serialize server service set setter setting size source stack
    start state status storage stopped stream strict string style stylesheet suffix super supported symbol syntax tag
    target template terminated than that the then this throw timed timeout to token too transaction transport trap tried
    try trying type typed undefined undelivered unexpected unhandled unknown unreachable unresolved unsupported
    unterminated up update url use used user valid value values variable version view violated violates was wasm were
    warning when while window with within without worker write xhr xml you yield zero
    payment retry rate limited upload download unauthorized unavailable conflict entity gone resize notifications
    completed delivered uncaught caught cause hook hooks react angular vue webpack chunkloaderror
    """.split()
)
