// The words of a page that a person sees, by the layout of the browser that runs this.
const NOTHING = 54;

function colour(text) {
  const numbers = (text.match(/[\d.]+(?:e-?\d+)?/g) || []).map(Number);
  return { rgb: numbers.slice(0, 3), alpha: numbers.length > 3 ? numbers[3] : 1 };
}

function over(top, below) {
  return top.rgb.map((part, at) => part * top.alpha + below[at] * (1 - top.alpha));
}

function close(one, other) {
  return one.reduce((sum, part, at) => sum + Math.abs(part - other[at]), 0) <= NOTHING;
}

// What lies behind an element's text; null where that is a picture.
function backdrop(element) {
  const chain = [];
  for (let node = element; node; node = node.parentElement) chain.unshift(getComputedStyle(node));
  let below = [255, 255, 255];
  for (const style of chain) {
    const plain = colour(style.backgroundColor);
    if (plain.alpha > 0 && (below || plain.alpha >= 0.5)) below = below ? over(plain, below) : plain.rgb;
    const image = style.backgroundImage;
    if (image.includes('url(')) {
      if (plain.alpha === 0) below = null;
    } else if (image !== 'none' && below) {
      const stops = (image.match(/rgba?\([^)]*\)/g) || []).map((stop) => over(colour(stop), below));
      if (stops.length) below = stops.every((stop) => close(stop, stops[0])) ? stops[0] : null;
    }
  }
  return below;
}

function opacity(element) {
  let all = 1;
  for (let node = element; node; node = node.parentElement) {
    const style = getComputedStyle(node);
    all *= Number(style.opacity);
    const filter = style.filter.match(/opacity\(([\d.]+)/);
    if (filter) all *= Number(filter[1]);
  }
  return all;
}

// The part of a box that no ancestor cuts off.
function uncut(box, element) {
  let { left, top, right, bottom } = box;
  let fixed = false;
  for (let node = element; node && node !== document.documentElement; node = node.parentElement) {
    const style = getComputedStyle(node);
    const inline = style.display === 'inline' || style.display === 'contents';
    const clips = !inline && style.overflow !== 'visible' && node !== document.body;
    if (clips && !(fixed && style.position === 'static')) {
      const around = node.getBoundingClientRect();
      left = Math.max(left, around.left);
      top = Math.max(top, around.top);
      right = Math.min(right, around.right);
      bottom = Math.min(bottom, around.bottom);
    }
    fixed = style.position === 'absolute' || (fixed && style.position === 'static');
  }
  return { left, top, right, bottom };
}

function isSeen(range, element) {
  const style = getComputedStyle(element);
  if (style.visibility !== 'visible' || opacity(element) < 0.06) return false;
  const behind = backdrop(element);
  const ink = colour(style.webkitTextFillColor);
  if (ink.alpha < 0.06 || (behind && close(over(ink, behind), behind))) return false;
  return [...range.getClientRects()].some((box) => {
    if (box.width < 1.5 || box.height < 2) return false;
    const rest = uncut(box, element);
    const [left, top] = [Math.max(rest.left, 0), Math.max(rest.top, 0)];
    const [right, bottom] = [Math.min(rest.right, innerWidth), Math.min(rest.bottom, innerHeight)];
    if (right - left < 1.5 || bottom - top < 2) return false;
    // a clip path takes the point away from the element
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    return Boolean(hit) && element.contains(hit);
  });
}

function words() {
  const seen = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    for (const match of node.data.matchAll(/w\d+/g)) {
      const range = document.createRange();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      if (isSeen(range, node.parentElement)) seen.push(match[0]);
    }
  }
  return seen;
}
