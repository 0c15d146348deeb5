"""Words of CSS values, functions and property names (CSS snapshots and their modules, SVG, and vendors' own)."""

from typing import Final

KEYWORDS: Final = frozenset(
    """
    -apple-system -apple-system-font -moz-available -moz-box -moz-fit-content -moz-grab -moz-grabbing
    -moz-max-content -moz-min-content -moz-none -ms-autohiding-scrollbar -ms-flexbox -ms-grid -ms-inline-flexbox
    -webkit-auto -webkit-box -webkit-center -webkit-fill-available -webkit-fit-content -webkit-flex
    -webkit-focus-ring-color -webkit-grab -webkit-grabbing -webkit-inline-box -webkit-isolate -webkit-link
    -webkit-match-parent -webkit-max-content -webkit-min-content -webkit-optimize-contrast -webkit-paged-x
    -webkit-plaintext -webkit-sticky -webkit-zoom-in -webkit-zoom-out a above accentcolortext accumulate add
    after-edge alias all-petite-caps all-scroll all-small-caps allow allow-discrete allow-end allow-keywords
    alpha alternate-reverse always always-fade anchor-center anchors-valid anchors-visible antialiased anywhere
    arcs armenian aural auto-add auto-flow avoid avoid-column avoid-line avoid-page avoid-region balance
    balance-all base-palette before-edge behind below bidi-override blink block-axis block-end block-size
    block-start border-area both-edges both-sides box-decoration break-after break-before break-spaces button
    buttonborder cap caption caret cell center-left center-right checkbox circle cjk-ideographic clone
    close-quote col-resize collapse collapsed color-mix common-ligatures compact condensed container
    context-menu contextual continuous copy counter counters crisp-edges crop cross currentColor custom decimal
    decimal-leading-zero decreasing descendants diagonal-fractions digits disc discard disclosure-closed
    disclosure-open discretionary-ligatures distribute distribute-all-lines dot double-circle drag e-resize each
    each-line economy edges element embed entry entry-crossing ethiopic-numeric ew-resize ex exact exclude exit
    exit-crossing expanded extra-condensed extra-expanded fallback far-left far-right fast faster fill-box
    filled first fixed-position flat flip flip-block flip-inline flip-start force-end from-font from-image
    full-width geometricPrecision geometricprecision georgian grayscale hanging-punctuation hebrew hidden-scroll
    hide high high-quality higher hiragana hiragana-iroha historical-forms historical-ligatures horizontal
    horizontal-tb icon increasing ink inline-end inline-size inline-start inline-table inside inter-character
    inter-word interlace intersect invert isolate-override japanese-formal japanese-informal jis04 jis78 jis83
    jis90 jump-both jump-end jump-none jump-start justify kashida katakana katakana-iroha korean-hangul-formal
    last layer layout left-side leftwards legacy level light-dark lighten linearrgb lining-nums list-item
    listbox longer loose loud low lower lower-alpha lower-greek lower-latin lower-roman lr-tb luminance
    mandatory manipulation manual margin-box marker markers mask match-parent match-source math menu menulist
    menulist-button menulist-text message-box meter miter-clip mix mixed most-block-size most-height
    most-inline-size most-width n-resize narrower ne-resize nesw-resize no-change no-clip no-close-quote
    no-common-ligatures no-contextual no-discretionary-ligatures no-drag no-drop no-historical-ligatures
    no-open-quote no-overflow normal-flow ns-resize numeric-only nw-resize nwse-resize objects off oldstyle-nums
    on once open open-quote optimizeLegibility optimizeSpeed optimizelegibility optimizespeed optional ordinal
    outside over overlay page paint pan-down pan-left pan-right pan-up pan-x pan-y path petite-caps pinch-zoom
    pixelated plaintext preserve preserve-3d preserve-breaks pretty progress progress-bar progressive
    proportional-nums proportional-width proximity punctuation push-button radio replace reset-size revert-rule
    right-side rightwards rl-tb row-resize ruby ruby-base ruby-base-container ruby-text ruby-text-container
    run-in s-resize safe scroll-position se-resize searchfield selecteditemtext self-block self-end self-inline
    self-start semi-condensed semi-expanded separate sesame shorter show sideways sideways-left sideways-lr
    sideways-right sideways-rl silent simp-chinese-formal simplified size skip-ink slashed-zero
    slider-horizontal slow slower small-caps small-caption smooth snap snap-block snap-inline soft space-all
    space-first spaces spell-out spread square-button stable stacked-fractions standard status-bar strict
    stroke-box style stylistic sub sub-pixel subpixel-antialiased subset subtract super sw-resize swap
    table-caption table-cell table-column table-column-group table-footer-group table-header-group table-row
    table-row-group tabular-nums tb-rl text-after-edge text-before-edge text-bottom text-top textfield
    thick-line title titling-caps toggle touch traditional triangle trim-auto trim-both trim-start type
    ultra-condensed ultra-expanded under unicase unsafe upper-alpha upper-latin upper-roman upright
    use-glyph-orientation use-script vertical vertical-align vertical-lr vertical-rl vertical-text view-box
    w-resize wavy weight wider window x x-fast x-high x-loud x-low x-soft xor xywh y yes zoom-in zoom-out
    scrollbar meterbar
    """.split()
)
"""What a declaration's value may say, beside the words of `css_vocabulary`."""

FUNCTIONS: Final = frozenset(
    """
    -moz-linear-gradient -o-linear-gradient -webkit-gradient -webkit-image-set -webkit-linear-gradient
    -webkit-radial-gradient abs acos anchor anchor-size annotation asin atan atan2 attr blackness blend blenda
    blur brightness calc calc-size character-variant circle clamp color-contrast color-mix color-mod color-stop
    conic-gradient contrast cos counter counters cross-fade cubic-bezier device-cmyk drop-shadow element ellipse
    env exp fit-content format from gray grayscale hsl hsla hue hue-rotate hwb hypot image image-set inset
    invert lab lch leader light-dark lightness linear linear-gradient local log matrix matrix3d max min minmax
    mod oklab oklch opacity ornaments paint path perspective polygon pow radial-gradient ray rect rem repeat
    repeating-conic-gradient repeating-linear-gradient repeating-radial-gradient rgb rgba rotate rotate3d
    rotateX rotateY rotateZ rotatex round saturate saturation scale scale3d scaleX scaleY scaleZ scalex scaley
    scroll sepia shade shape sign sin skewX skewY sqrt src steps styleset stylistic superellipse swash symbols
    tan target-counter target-text tech tint to toggle translate translate3d translateX translateY translateZ
    translatex translatey translatez url var view whiteness xywh
    """.split()
)
"""Functions of values."""

PROPERTY_WORDS: Final = frozenset(
    """
    accent action additive adjust after align alignment all alternates anchor animation appearance area areas
    arrow as ascent asian aspect attachment auto azimuth backdrop backface background balance base baseline
    basis before behavior bidi bleed blend block bookmark border bottom boundary box break button callout caps
    caption caret cells chains change character chars clamp clear clip collapse color colors column columns
    combine composite composition contain container content contents continue contrast corner count counter cue
    cursor cx cy d dash dashadjust dasharray dashcorner dashoffset decoration defer delay depth descent
    detection direction display distance dominant down drag duration during dynamic east edge effect elevation
    ellipsis emoji emphasis empty end epub events expansion fallback family feature field fill filter filters
    fit flex float flood flow focus font footnote forced format fragment from function gap glyph grid group grow
    gutter hanging header height high highlight hyphenate hyphens image increment indent index inherits initial
    ink inline input insert inset inside interactivity interpolation into intrinsic isolation items iteration
    justify kerning khtml knockout label language last layout leading left letter level ligatures lighting limit
    line linecap linejoin lines list logical margin marker marks mask math max merge metrics mid min miterlimit
    mix mode moz ms name nav navigation negative numeral numeric o object offset opacity optical options order
    orient orientation origin orphans osx outline outset outside overflow overhang overlay override overscroll
    pack pad padding page paint palette path pattern pause perspective pitch place placeholder play pointer
    policy position prefix print property punctuation quotes r radius range rate ratio reader reading reference
    region rendering repeat reset resize resolution rest richness right ring rotate round row rows ruby rule
    running rx ry scale scheme scroll scrollbar scrolling security segment select self set settings shadow shape
    shift shrink side size sizing skip slice small smooth smoothing snap source space spaces spacing span
    spatial speak speech src start state step stop stress stretch string stroke style suffix symbols syntax
    synthesis system tab table tap template text thickness threshold through thumb timeline timing top touch
    track transform transition translate trim try type underline unicode unit up upright user variant variation
    vector vertical view visibility voice volume webkit weight white widows width will word wrap writing x y z
    zone zoom
    """.split()
)
"""The parts of property names between hyphens."""
