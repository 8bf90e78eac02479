package jacquard.clip.text.hub;

import jacquard.clip.text.words.Charsmap;
import jacquard.clip.text.words.Decoder;
import jacquard.clip.text.words.Letters;
import jacquard.clip.text.words.Normalizer;
import jacquard.clip.text.words.OlderUnicode;
import jacquard.clip.text.words.PreTokenizer;
import jacquard.clip.text.words.Split;
import jacquard.clip.text.words.WordRule;
import java.io.IOException;
import java.text.Normalizer.Form;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Reads the steps of a `tokenizer.json`: normalizers, pre-tokenizers and decoders.
final class Steps {
  private Steps() {}

  private interface Read<T> { T of(Fields fields) throws IOException; }

  private static <T> List<T> all(Fields list, Read<T> read) throws IOException {
    var r = new ArrayList<T>();
    for (var f : list.list()) r.add(read.of(f));
    return r;
  }

  static Normalizer normalizer(Fields f) throws IOException {
    if (f.absent()) return Normalizer.NONE;
    return switch (f.type()) {
      case "Sequence" -> Normalizer.all(all(f.part("normalizers"), Steps::normalizer));
      case "NFC" -> Normalizer.form(Form.NFC);
      case "NFD" -> Normalizer.form(Form.NFD);
      case "NFKC" -> Normalizer.form(Form.NFKC);
      case "NFKD" -> Normalizer.form(Form.NFKD);
      case "Lowercase" -> Normalizer.LOWERCASE;
      case "StripAccents" -> Normalizer.STRIP_ACCENTS;
      case "Strip" -> Normalizer.strip(f.is("strip_left", true), f.is("strip_right", true));
      case "Prepend" -> Normalizer.prepend(f.part("prepend").text());
      case "Nmt" -> Normalizer.NMT;
      case "ByteLevel" -> Normalizer.BYTES;
      case "Replace" -> {
        var content = f.part("content").text();
        if (!f.part("pattern").part("String").absent()) {
          var literal = f.part("pattern").part("String").text();
          yield text -> text.replace(literal, content);
        }
        var pattern = pattern(f.part("pattern").part("Regex"));
        var quoted = Matcher.quoteReplacement(content);
        yield text -> pattern.matcher(text).replaceAll(quoted);
      }
      case "Precompiled" -> {
        var blob = f.part("precompiled_charsmap").text("");
        try { yield blob.isEmpty() ? Normalizer.NONE : new Charsmap(Base64.getDecoder().decode(blob))::clusters; }
        catch (IOException | IllegalArgumentException e) { throw f.wrong("precompiled_charsmap: " + e.getMessage()); }
      }
      case "BertNormalizer" -> {
        boolean small = f.is("lowercase", true);
        yield new Normalizer.Bert(f.is("clean_text", true), f.is("handle_chinese_chars", true),
            f.is("strip_accents", small), small);
      }
      default ->
          throw f.unknown("normalizer", "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, "
              + "Precompiled, Prepend, Replace, Sequence, Strip and StripAccents");
    };
  }

  static PreTokenizer preTokenizer(Fields f) throws IOException {
    if (f.absent()) return PreTokenizer.NONE;
    return switch (f.type()) {
      case "Sequence" -> new PreTokenizer.Chain(all(f.part("pretokenizers"), Steps::preTokenizer));
      case "ByteLevel" -> new PreTokenizer.ByteLevel(f.is("add_prefix_space", true), f.is("use_regex", true));
      case "Metaspace" -> new PreTokenizer.Metaspace(mark(f), when(f), f.is("split", true));
      case "WhitespaceSplit" -> new Split(Split.Finder.of(Letters::space, true), Split.Behavior.REMOVED, false);
      case "Whitespace" ->
          new PreTokenizer.Chain(List.of(new Split(Split.Finder.of(Letters::space, true), Split.Behavior.REMOVED,
              false),
          new Split(Split.Finder.of(Letters::word, true), Split.Behavior.ISOLATED, false)));
      case "BertPreTokenizer" ->
          new PreTokenizer.Chain(List.of(new Split(Split.Finder.of(Letters::space, true), Split.Behavior.REMOVED,
              false),
          new Split(Split.Finder.of(OlderUnicode::punctuation, false), Split.Behavior.ISOLATED, false)));
      case "Punctuation" ->
          new Split(Split.Finder.of(OlderUnicode::punctuation, false), behavior(f.part("behavior")), false);
      case "Digits" -> {
        boolean each = f.is("individual_digits", false);
        yield new Split(Split.Finder.of(c -> Letters.of(c) == Letters.NUMBER, !each), each ? Split.Behavior.ISOLATED
            : Split.Behavior.CONTIGUOUS, false);
      }
      case "CharDelimiterSplit" ->
          new Split(Split.Finder.of(f.part("delimiter").text()), Split.Behavior.REMOVED, false);
      case "Split" -> new Split(finder(f.part("pattern")), behavior(f.part("behavior")), f.is("invert", false));
      default -> throw f.unknown("pre-tokenizer",
          "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, "
          + "Whitespace and WhitespaceSplit");
    };
  }

  static Decoder decoder(Fields f) throws IOException {
    if (f.absent()) return Decoder.SPACED;
    return switch (f.type()) {
      case "Sequence" -> Decoder.all(all(f.part("decoders"), Steps::decoder));
      case "ByteLevel" -> Decoder.BYTE_LEVEL;
      case "ByteFallback" -> Decoder.BYTE_FALLBACK;
      case "Fuse" -> Decoder.FUSE;
      case "WordPiece" -> Decoder.wordPieces(f.part("prefix").text("##"), f.is("cleanup", true));
      case "Metaspace" -> Decoder.metaspace(mark(f), when(f) != PreTokenizer.Metaspace.When.NEVER);
      case "BPEDecoder" -> {
        var suffix = f.part("suffix").text("</w>");
        yield Decoder.each(p -> p.replace(suffix, " "));
      }
      case "Replace" -> {
        String literal = f.part("pattern").part("String").text(), content = f.part("content").text();
        yield Decoder.each(p -> p.replace(literal, content));
      }
      case "Strip" -> {
        var content = f.part("content").text();
        int start = f.part("start").number(0, 1000), stop = f.part("stop").number(0, 1000);
        yield Decoder.each(p -> {
          int from = 0, to = p.length();
          for (int i = 0; i < start && p.startsWith(content, from) && from < to; i++) from += content.length();
          for (int i = 0; i < stop && to > from && p.substring(from, to).endsWith(content); i++) to -= content.length();
          return p.substring(from, to);
        });
      }
      default -> throw f.unknown("decoder",
          "BPEDecoder, ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Sequence, Strip and WordPiece");
    };
  }

  private static char mark(Fields f) throws IOException {
    var mark = f.part("replacement").text("▁");
    if (mark.length() != 1) throw f.wrong("replacement is \"" + mark + "\", expected one character");
    return mark.charAt(0);
  }

  /// Files before version 0.15 of the library have `add_prefix_space` alone.
  private static PreTokenizer.Metaspace.When when(Fields f) throws IOException {
    if (f.part("prepend_scheme").absent())
      return f.is("add_prefix_space", true) ? PreTokenizer.Metaspace.When.ALWAYS : PreTokenizer.Metaspace.When.NEVER;
    return named(f.part("prepend_scheme"), PreTokenizer.Metaspace.When.values());
  }

  private static Split.Behavior behavior(Fields f) throws IOException {
    return f.absent() ? Split.Behavior.ISOLATED : named(f, Split.Behavior.values());
  }

  /// The value of a name, which may be written `MergedWithNext`, `merged_with_next` or `first`.
  private static <E extends Enum<E>> E named(Fields f, E[] values) throws IOException {
    var name = f.text().replace("_", "").toUpperCase(Locale.ROOT);
    for (var v : values) if (v.name().replace("_", "").equals(name)) return v;
    throw f.wrong("is \"" + f.text() + "\", expected one of " + List.of(values));
  }

  private static Split.Finder finder(Fields f) throws IOException {
    if (!f.part("String").absent()) return Split.Finder.of(f.part("String").text());
    var rule = WordRule.of(f.part("Regex").text());
    return rule != null ? Split.Finder.of(rule) : new Split.Regex(pattern(f.part("Regex")));
  }

  static Pattern pattern(Fields f) throws IOException {
    try { return Pattern.compile(f.text(), Pattern.UNICODE_CHARACTER_CLASS); }
    catch (PatternSyntaxException e) {
      throw f.wrong("the regular expression \"" + f.text() + "\" cannot be read: " + e.getDescription());
    }
  }
}
