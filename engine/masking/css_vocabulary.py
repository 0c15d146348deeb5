"""Words of CSS that say nothing about a visitor: what custom properties, paints, media queries may hold."""

from typing import Final

_COLOURS: Final = """
    aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown burlywood
    cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan darkgoldenrod darkgray
    darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid darkred darksalmon darkseagreen
    darkslateblue darkslategray darkslategrey darkturquoise darkviolet deeppink deepskyblue dimgray dimgrey dodgerblue
    firebrick floralwhite forestgreen fuchsia gainsboro ghostwhite gold goldenrod gray green greenyellow grey honeydew
    hotpink indianred indigo ivory khaki lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan
    lightgoldenrodyellow lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray
    lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine mediumblue
    mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise mediumvioletred
    midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab orange orangered orchid
    palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru pink plum powderblue purple
    rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown seagreen seashell sienna silver skyblue
    slateblue slategray slategrey snow springgreen steelblue tan teal thistle tomato turquoise violet wheat white
    whitesmoke yellow yellowgreen transparent currentcolor canvas canvastext linktext buttonface buttontext graytext
    highlight highlighttext field fieldtext accentcolor activetext mark marktext selecteditem visitedtext windowtext
"""

_KEYWORDS: Final = """
    initial inherit unset revert revert-layer none auto normal all both left right top bottom center start end middle
    baseline stretch block inline flex grid table contents hidden visible scroll clip absolute relative fixed sticky
    static solid dashed dotted double groove ridge inset outset thin medium thick small large smaller larger x-small
    xx-small x-large xx-large bold bolder lighter italic oblique underline overline line-through uppercase lowercase
    capitalize nowrap wrap pre pre-wrap pre-line break-word break-all keep-all ellipsis row column row-reverse
    column-reverse wrap-reverse space-between space-around space-evenly flex-start flex-end inline-block inline-flex
    inline-grid min-content max-content fit-content contain cover fill scale-down repeat no-repeat repeat-x repeat-y
    round space local border-box padding-box content-box ease ease-in ease-out ease-in-out linear step-start step-end
    infinite alternate reverse forwards backwards running paused pointer default text move wait help not-allowed grab
    grabbing crosshair serif sans-serif monospace cursive fantasy system-ui ui-sans-serif ui-serif ui-monospace
    ui-rounded light dark only nonzero evenodd butt square miter bevel to in at from srgb srgb-linear display-p3 lab
    oklab lch oklch hsl hwb context-fill context-stroke hanging ideographic alphabetic mathematical central
    xmidymid xminymin xmaxymax xmidymin xmidymax xminymid xmaxymid xminymax xmaxymin meet slice objectboundingbox
    userspaceonuse ltr rtl auto-fit auto-fill subgrid dense isolate multiply screen darken color-dodge color-burn
    important hard-light soft-light difference exclusion hue saturation color luminosity
"""

_MEDIA: Final = """
    print speech and or not width min-width max-width height min-height max-height orientation portrait landscape
    resolution min-resolution max-resolution hover any-hover pointer any-pointer coarse fine prefers-color-scheme
    prefers-reduced-motion prefers-contrast prefers-reduced-data reduce no-preference more less forced-colors active
    aspect-ratio min-aspect-ratio max-aspect-ratio device-width min-device-width max-device-width device-height
    display-mode standalone fullscreen minimal-ui browser color-gamut p3 rec2020 update scripting enabled
    -webkit-min-device-pixel-ratio -webkit-max-device-pixel-ratio
"""

PLAIN_WORDS: Final = frozenset((_COLOURS + _KEYWORDS + _MEDIA).split())
"""Identifiers that may stand in a value that is otherwise data."""

AT_RULES: Final = frozenset(
    "media supports import font-face keyframes charset namespace page layer container property counter-style scope "
    "font-feature-values font-palette-values starting-style view-transition document viewport nest include apply "
    "styleset stylistic swash ornaments annotation character-variant top-left top-center top-right bottom-left "
    "bottom-center bottom-right position-try tailwind".split()
)

PLAIN_FUNCTIONS: Final = frozenset(
    "rgb rgba hsl hsla hwb lab lch oklab oklch color color-mix light-dark var calc min max clamp cubic-bezier steps "
    "linear translate translatex translatey translatez translate3d scale scalex scaley scalez scale3d rotate rotatex "
    "rotatey rotatez rotate3d skew skewx skewy matrix matrix3d perspective blur brightness contrast drop-shadow "
    "grayscale hue-rotate invert opacity saturate sepia linear-gradient radial-gradient conic-gradient "
    "repeating-linear-gradient repeating-radial-gradient repeat minmax fit-content".split()
)

PLAIN_FONTS: Final = frozenset(
    name.strip()
    for name in """
    arial, arial black, arial narrow, helvetica, helvetica neue, times, times new roman, courier, courier new, georgia,
    verdana, tahoma, trebuchet ms, impact, comic sans ms, lucida grande, lucida console, lucida sans unicode, geneva,
    palatino, palatino linotype, book antiqua, garamond, cambria, calibri, candara, consolas, constantia, corbel,
    segoe ui, segoe ui symbol, segoe ui emoji, apple color emoji, noto color emoji, android emoji, emojisymbols,
    apple system, blinkmacsystemfont, sf pro text, sf pro display, sf mono, menlo, monaco, andale mono,
    liberation mono, liberation sans, dejavu sans, dejavu sans mono, ubuntu, ubuntu mono, cantarell, oxygen, roboto,
    roboto mono, roboto condensed, roboto slab, open sans, lato, montserrat, poppins, inter, inter var, nunito, raleway,
    source sans pro, source code pro, source serif pro, merriweather, playfair display, work sans, fira sans, fira code,
    fira mono, droid sans, pt sans, pt serif, noto sans, noto serif, noto sans kr, noto sans jp, noto sans sc,
    ibm plex sans, ibm plex mono, jetbrains mono, dm sans, pingfang sc, pingfang tc, hiragino sans, hiragino sans gb,
    microsoft yahei, meiryo, yu gothic, malgun gothic, apple sd gothic neo, fontawesome, font awesome 5 free,
    font awesome 5 brands, font awesome 6 free, font awesome 6 brands, material icons, material symbols outlined,
    bootstrap-icons, sfmono-regular, liberation mono, liberation sans, ubuntu mono, roboto mono, droid sans mono,
    simsun, glyphicons halflings, swiper-icons, slick""".split(",")
)

FONT_FEATURES: Final = frozenset(
    "aalt calt case ccmp clig dlig dnom frac hist hlig jalt kern liga lnum locl nalt numr onum opsz ordn ornm pnum "
    "salt "
    "sinf smcp c2sc ss01 ss02 ss03 ss04 ss05 ss06 ss07 ss08 ss09 ss10 subs sups swsh titl tnum unic zero rlig rvrn "
    "cv01 cv02 cv03 cv04 cv05 cv06 cv07 cv08 cv09 cv10 cv11 wght wdth slnt ital grad fill".split()
)

FONT_FORMATS: Final = frozenset(
    "woff woff2 truetype opentype embedded-opentype svg collection woff-variations woff2-variations "
    "truetype-variations opentype-variations".split()
)

ENUMERATED_ATTRIBUTES: Final = frozenset(
    "type role dir open hidden disabled readonly required checked selected multiple contenteditable aria-hidden "
    "aria-expanded aria-disabled aria-haspopup aria-modal aria-busy aria-live".split()
)
"""Attributes whose values come from the HTML standard: an attribute selector may compare them with such a word."""

ENUMERATED_VALUES: Final = frozenset(
    "true false button submit reset text search tel url email password number range date time datetime-local month "
    "week color checkbox radio file hidden image link tab tablist tabpanel menu menuitem menubar dialog alert "
    "alertdialog "
    "listbox option combobox textbox searchbox spinbutton slider switch grid gridcell row rowgroup columnheader "
    "tooltip "
    "tree treeitem presentation none img navigation main banner complementary contentinfo form region group heading "
    "list listitem status progressbar separator toolbar ltr rtl auto polite assertive off inherit plaintext-only "
    "until-found a i 1".split()
)
