"""Writes repaired.json: damaged texts and what ftfy makes of them, some of every step that it explains. Needs Python 3.11 (Unicode 14) and

    pip install ftfy==6.3.1
    python repaired.py > repaired.json
"""
import collections, json, random, unicodedata
import ftfy
from ftfy.chardata import CHARMAP_ENCODINGS

TEXTS = """The café’s naïve façade — dash… “quotes” über Straße Ångström|à côté, voilà le travail, à demain|ΟΔΥΣΣΕΥΣ Ελληνικά με τόνους|ёлка объявление № 5|ґанок їжак є|żółw gęśl łódź
žluťoučký kůň|ığdır şeker İstanbul|ąžuolas ėjo į šilą|őrült űr|نص عربي ٠١٢|עברית|हिन्दी தமிழ் ไทย|日本語 テキスト 中文字符 한국어|😀👩‍👧🏳️‍🌈🇩🇪❤️|½ ² ™ © € £ § † ‰ ∞ ≈ √ π|ﬁne ﬂow ĳ ŉ ǆ ﬀ ﬅ|ＦＵＬＬ ﾃｷｽﾄ ｶﾞ ￥""".replace("\n", "|").split("|")
WORDS = [w for t in TEXTS for w in t.split()]
ODD = ["\r\n", "\r", "\n", "\x85", "\u2028", "\x1b[31m", "\x1b[0;1m", "\x1b", "\0", "\x0b", "\x1d", "\ufeff", "\ufffc", "\u206a", "\x7f", "\ud800", "\udc00", "<", "&lt;b&gt;", "&amp;amp;", "&EACUTE;",
       "&#128;", "&#59;", "&#xd800;", "&notit;", "&hellip", "a\u0301\u0316", "\u212b", "À\n", "Ã ", "Â ", "Ã quele"]
rng = random.Random(0)


def surrogate_pairs(text):
    """CESU-8, with Java's null."""
    units = text.encode("utf-16-be", "surrogatepass")
    units = [units[i] << 8 | units[i + 1] for i in range(0, len(units), 2)]
    return b"".join(b"\xc0\x80" if u == 0 else chr(u).encode("utf-8", "surrogatepass") for u in units)


def misread(text):
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        data = surrogate_pairs(text) if rng.random() < .2 else text.encode("utf-8", "surrogatepass")
        if rng.random() < .3: data = data.replace(b"\xa0", b" ")
        if rng.random() < .2: data = bytes(b if b < 128 or rng.random() > .15 else rng.choice(b"?\x1a") for b in data)
        text = data.decode(rng.choice(CHARMAP_ENCODINGS + ["cp1252"]), "replace")
    return text


def text():
    k = rng.random()
    if k < .4: return misread(" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3))))
    if k < .5: return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3)))
    if k < .6: return bytes(rng.randrange(256) for _ in range(rng.randint(1, 12))).decode(rng.choice(CHARMAP_ENCODINGS))
    if k < .8: return "".join(rng.choice(ODD + WORDS + [" "]) for _ in range(rng.randint(1, 5)))
    return "".join(rng.choice([misread(rng.choice(WORDS)), rng.choice(WORDS), rng.choice(ODD), " "]) for _ in range(rng.randint(2, 4)))


seen, kept = collections.Counter(), []
for _ in range(20_000):
    damaged = text().encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    repaired = ftfy.fix_text(damaged)
    steps = {tuple(s) for s in ftfy.fix_and_explain(damaged).explanation} or {("nothing", str(damaged.isascii()))}
    if len(damaged) > 60 or any(unicodedata.category(c) == "Cn" for c in damaged + repaired) or min(seen[s] for s in steps) >= 24: continue
    seen.update(steps)
    kept.append(json.dumps([damaged, repaired]))
print("[\n" + ",\n".join(kept) + "\n]")
