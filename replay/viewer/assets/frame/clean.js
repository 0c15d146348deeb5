// A second look at every event before rrweb builds a page of it. The engine has dropped all this already, and the policy
// of this document stops what is left; but a viewer must not depend on who wrote the bundle, a refused load is noise in
// the console, some things (preconnect) no policy stops, and one odd node must not end a whole replay.

const DROPPED_TAGS = new Set([
  "script",
  "base",
  "object",
  "embed",
  "applet",
  "frame",
  "frameset",
  "portal",
  "fencedframe",
  "param",
  "noembed",
]);
const SHADOW_HOSTS = new Set([
  "article",
  "aside",
  "blockquote",
  "body",
  "div",
  "footer",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "header",
  "main",
  "nav",
  "p",
  "section",
  "span",
]);
const DROPPED_ATTRIBUTES = new Set([
  "srcdoc",
  "http-equiv",
  "ping",
  "manifest",
  "formaction",
  "action",
  "srcset",
  "imagesrcset",
  "autofocus",
  "nonce",
  "attributionsrc",
  "codebase",
  "classid",
  "archive",
  "longdesc",
  "usemap",
  "csp",
  "sandbox",
  "allow",
  "is",
]);
const ADDRESS_ATTRIBUTES = new Set([
  "src",
  "href",
  "xlink:href",
  "poster",
  "background",
  "data",
  "lowsrc",
  "dynsrc",
  "icon",
  "cite",
  "from",
  "to",
  "by",
  "values",
  "rr_src",
  "rr_dataurl",
]);
// Presentation attributes of SVG take url(...) as CSS does.
const CSS_ATTRIBUTES = new Set([
  "style",
  "_csstext",
  "fill",
  "stroke",
  "filter",
  "mask",
  "clip-path",
  "marker-start",
  "marker-mid",
  "marker-end",
  "cursor",
]);
const MEDIA_RANGES = { rr_mediavolume: [0, 1], rr_mediaplaybackrate: [0.0625, 16], rr_mediacurrenttime: [0, 1e7] };
const NAME = /^[a-z][a-z0-9._:-]{0,127}$/i;
const DATA = /^\s*data:(?:image\/(?:png|jpe?g|gif|webp|avif|bmp|x-icon)|font\/|application\/(?:x-)?font)/i;
const CSS_ADDRESS = /url\(\s*(?:"([^"]*)"|'([^']*)'|([^)"']*))\s*\)/gi;
const CSS_IMPORT = /@import\b[^;]*;?/gi;
const MAX_DEPTH = 400;
const MAX_NODES = 200_000;
const NODE = { document: 0, doctype: 1, element: 2, text: 3, cdata: 4, comment: 5 };
const SOURCE = { mutation: 0, rule: 8, canvas: 9, font: 10, declaration: 13, adopted: 15 };
const EMPTY_PICTURE =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='24' height='24'%3E" +
  "%3Crect width='24' height='24' fill='%238b8b99' fill-opacity='.18'/%3E%3C/svg%3E";

/** Cleans events in place and counts what it withheld. */
export class Cleaner {
  /** @param {readonly string[]} hosts origins that recordings may load from */
  constructor(hosts = []) {
    this.hosts = hosts;
    /** Addresses that were not given to the page. */
    this.withheld = 0;
  }

  /**
   * @param {any} event
   * @returns {boolean} whether it can be played
   */
  clean(event) {
    if (!isObject(event) || !Number.isFinite(event.timestamp)) return false;
    if (event.type === 0 || event.type === 1) return true;
    if (!isObject(event.data)) return false;
    if (event.type === 2) return isObject(event.data.node) && this.tree(event.data.node);
    if (event.type === 3) return this.change(event.data);
    if (event.type === 4) return isSize(event.data.width) && isSize(event.data.height);
    return event.type === 5;
  }

  /** @param {any} data of an incremental event */
  change(data) {
    if (data.source === SOURCE.canvas || data.source === SOURCE.font) return false;
    if (data.source === SOURCE.mutation) return this.mutation(data);
    if (data.source === SOURCE.rule) {
      for (const added of listOf(data.adds)) if (isObject(added)) added.rule = this.css(added.rule);
    } else if (data.source === SOURCE.declaration && isObject(data.set)) {
      data.set.value = this.css(data.set.value);
    } else if (data.source === SOURCE.adopted) {
      for (const sheet of listOf(data.styles)) {
        for (const rule of listOf(sheet?.rules)) if (isObject(rule)) rule.rule = this.css(rule.rule);
      }
    }
    return true;
  }

  /** @param {any} data */
  mutation(data) {
    data.adds = listOf(data.adds).filter((add) => isObject(add) && isObject(add.node) && this.tree(add.node));
    data.removes = listOf(data.removes).filter(isObject);
    data.texts = listOf(data.texts).filter(isObject);
    data.attributes = listOf(data.attributes).filter((change) => isObject(change) && isObject(change.attributes));
    for (const change of data.attributes) change.attributes = this.attributes(change.attributes, "");
    return true;
  }

  /**
   * Clean a node and all below it, without recursion: depth is the recording's choice, the stack is ours.
   * @param {any} root
   */
  tree(root) {
    const open = [{ node: root, depth: 0, isTop: false }];
    let nodes = 0;
    for (let entry = open.pop(); entry; entry = open.pop()) {
      const { node, depth, isTop } = entry;
      nodes += 1;
      if (nodes > MAX_NODES) return false;
      this.node(node, isTop);
      if (node.type !== NODE.document && node.type !== NODE.element) continue;
      node.childNodes = depth < MAX_DEPTH ? listOf(node.childNodes).filter(isObject) : [];
      if (node.type === NODE.document) node.childNodes = topOf(node.childNodes);
      for (const child of node.childNodes) {
        if (child.isShadow && !node.isShadowHost) delete child.isShadow;
        if (isStyle(node) && child.type === NODE.text) child.isStyle = true;
        open.push({ node: child, depth: depth + 1, isTop: node.type === NODE.document });
      }
    }
    return true;
  }

  /**
   * @param {any} node
   * @param {boolean} isTop whether it lies directly in a document
   */
  node(node, isTop) {
    if (node.type === NODE.element) this.element(node);
    else if (node.type === NODE.doctype && isTop) Object.assign(node, { name: "html", publicId: "", systemId: "" });
    else if (node.type === NODE.text) node.textContent = this.text(node);
    else if (node.type !== NODE.document) Object.assign(node, { type: NODE.comment, textContent: "" });
  }

  /** @param {any} node */
  text(node) {
    const text = typeof node.textContent === "string" ? node.textContent : "";
    return node.isStyle ? this.css(text) : text;
  }

  /** @param {any} node */
  element(node) {
    const name = typeof node.tagName === "string" && NAME.test(node.tagName) ? node.tagName : "div";
    const tag = localName(name);
    node.tagName = node.isSVG ? name : name.toLowerCase();
    node.attributes = isObject(node.attributes) ? node.attributes : {};
    if (DROPPED_TAGS.has(tag)) {
      Object.assign(node, { tagName: "noscript", attributes: {}, childNodes: [], isSVG: undefined });
    } else if (tag === "link" && !isSheet(node.attributes)) {
      node.attributes = {};
    } else {
      node.attributes = this.attributes(node.attributes, tag);
    }
    if (node.isShadowHost && !SHADOW_HOSTS.has(tag) && !(tag.includes("-") && !node.isSVG)) delete node.isShadowHost;
  }

  /**
   * @param {Record<string, any>} attributes
   * @param {string} tag of the element, empty where it is not known
   * @returns {Record<string, any>}
   */
  attributes(attributes, tag) {
    /** @type {Record<string, any>} */
    const kept = {};
    for (const [name, value] of Object.entries(attributes)) {
      const lower = name.toLowerCase();
      if (lower.startsWith("on") || DROPPED_ATTRIBUTES.has(lower) || (tag === "iframe" && lower === "src")) continue;
      const safe = this.value(lower, value, tag);
      if (safe !== undefined) kept[name] = safe;
    }
    return kept;
  }

  /**
   * @param {string} name in lower case
   * @param {any} value
   * @param {string} tag
   * @returns {any} `undefined` if there must be none
   */
  value(name, value, tag) {
    if (Object.hasOwn(MEDIA_RANGES, name)) {
      const [low, high] = MEDIA_RANGES[/** @type {keyof typeof MEDIA_RANGES} */ (name)];
      return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : undefined;
    }
    if (isObject(value)) return name === "style" ? this.declarations(value) : undefined;
    if (typeof value !== "string") return value;
    if (CSS_ATTRIBUTES.has(name)) return this.css(value);
    if (!ADDRESS_ATTRIBUTES.has(name)) return value;
    if (name === "href" && (tag === "a" || tag === "area")) return /^\s*https?:/i.test(value) ? value : "#";
    if (["from", "to", "by", "values"].includes(name)) return /[:/\\]/.test(value) ? "" : value;
    if (this.mayLoad(value)) return value;
    this.withheld += 1;
    return name === "src" && (tag === "img" || tag === "") ? EMPTY_PICTURE : undefined;
  }

  /**
   * Style changes of rrweb: values, or pairs of a value and its priority, by property.
   * @param {Record<string, any>} styles
   */
  declarations(styles) {
    /** @type {Record<string, any>} */
    const kept = {};
    for (const [name, value] of Object.entries(styles)) {
      if (Array.isArray(value)) kept[name] = [this.css(value[0]), value[1]];
      else kept[name] = typeof value === "string" ? this.css(value) : value;
    }
    return kept;
  }

  /**
   * @param {any} text
   * @returns {any}
   */
  css(text) {
    if (typeof text !== "string") return text;
    return text.replace(CSS_IMPORT, "").replace(CSS_ADDRESS, (whole, double, single, bare) => {
      const address = double ?? single ?? bare ?? "";
      if (address === "" || address.startsWith("#") || this.mayLoad(address)) return whole;
      this.withheld += 1;
      return "none";
    });
  }

  /** @param {string} address */
  mayLoad(address) {
    if (address.startsWith("#") || DATA.test(address)) return true;
    return this.hosts.some((host) => isFrom(address, host));
  }
}

/**
 * @param {string} address
 * @param {string} host an origin, whose host may begin with `*.`
 */
function isFrom(address, host) {
  if (!URL.canParse(address)) return false;
  const { protocol, host: name } = new URL(address);
  const [scheme, wanted] = host.split("//");
  return protocol === scheme && (wanted.startsWith("*.") ? name.endsWith(wanted.slice(1)) : name === wanted);
}

/**
 * What a document can hold: its type, one element, comments.
 * @param {any[]} nodes
 */
function topOf(nodes) {
  const root = nodes.find((node) => node.type === NODE.element);
  const type = nodes.find((node) => node.type === NODE.doctype);
  return nodes.filter((node) => node === root || node === type || node.type === NODE.comment);
}

/** @param {any} value */
const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** @param {any} value */
const listOf = (value) => (Array.isArray(value) ? value : []);

/** @param {any} value */
const isSize = (value) => Number.isFinite(value) && value > 0 && value < 100_000;

/** @param {string} name */
const localName = (name) => name.toLowerCase().split(":").at(-1) ?? "";

/** @param {any} node */
const isStyle = (node) => node.type === NODE.element && localName(node.tagName) === "style";

/** @param {Record<string, any>} attributes */
const isSheet = (attributes) =>
  Object.entries(attributes).some(([name, value]) => {
    const lower = name.toLowerCase();
    return lower === "_csstext" || (lower === "rel" && String(value).trim().toLowerCase() === "stylesheet");
  });
