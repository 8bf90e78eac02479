package jacquard.tests.peer;

import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.text.hub.HubTokenizer;
import jacquard.clip.text.sentence.SentencePiece;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.Collectors;

/// Our side of `tests/peer/tokenizers`: writes texts, a JSON string a line, and their ids, a list a line.
///
/// ```
/// texts FILE COUNT SEED     COUNT real texts (captions of the emoji corpus, names of languages and countries in all
/// languages of the JDK), then COUNT random ones ids SOURCE TEXTS FILE     SOURCE: a folder with a tokenizer.json, or a
/// SentencePiece model
/// ```
public final class TokenizerPeer {
  private static final int[][] RANGES = {{0x20, 0x7e}, {0xa0, 0x24f}, {0x250, 0x36f}, {0x370, 0x5ff}, {0x600, 0x8ff},
      {0x900, 0xfff}, {0x1000, 0x1fff}, {0x2000, 0x2bff}, {0x2c00, 0x303f},
      {0x3040, 0x33ff}, {0x3400, 0x9fff}, {0xa000, 0xabff}, {0xac00, 0xd7a3}, {0xf900, 0xffff}, {0x10000, 0x1ffff},
      {0x1f300, 0x1faff}, {0x20000, 0x323af}, {0xe0000, 0xe01ef}};
  private static final String[] PARTS =
      {" ", "  ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "'s", "'LL", "\u0301", "\u0308", "\u200d", "\ufe0f", "</s>",
      "<s>", "[SEP]", "<mask>", " <mask>", "▁", "<0x41>", "...", "\u0000", "\u0007",
      "\u001b", "\u0085", "\u2028", "İ", "ΑΣ", "ß", "ﬁ", "\u1100\u1161", "क्ष", "นำ", "👩‍👩‍👧", "🇩🇪🇫🇷", "_", "##ing",
      "\ufffd", "\u00ad", "<unk>"};
  private static final ObjectWriter JSON = JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build()
      .writer();

  private TokenizerPeer() {}

  public static void main(String[] args) throws IOException {
    if (args.length == 4 && args[0].equals("texts"))
      texts(Path.of(args[1]), Integer.parseInt(args[2]), new SplittableRandom(Long.parseLong(args[3])));
    else if (args.length == 4 && args[0].equals("ids")) ids(Path.of(args[1]), Path.of(args[2]), Path.of(args[3]));
    else throw new IllegalArgumentException("expected texts FILE COUNT SEED, or ids SOURCE TEXTS FILE");
  }

  private static void texts(Path file, int count, SplittableRandom random) throws IOException {
    var real = real();
    try (var out = new PrintWriter(Files.newBufferedWriter(file))) {
      for (int i = 0; i < count; i++) out.println(JSON.writeValueAsString(sentence(real, random)));
      for (int i = 0; i < count; i++) out.println(JSON.writeValueAsString(random(real, random)));
    }
  }

  /// Captions, and the names that every locale has for languages and countries.
  private static List<String> real() {
    var r = new ArrayList<String>();
    var source = EmojiSource.training();
    for (int i = 0; i < source.size(); i++) r.add(source.caption(i));
    for (var l : Locale.getAvailableLocales())
      if (l.getCountry().isEmpty() && !l.getLanguage().isEmpty())
        for (int i = 0; i < 40; i++) {
          var languages = Locale.getISOLanguages();
          var countries = Locale.getISOCountries();
          r.add(Locale.of(languages[(i * 31 + r.size()) % languages.length]).getDisplayLanguage(l) + " – "
              + Locale.of("", countries[(i * 17 + r.size()) % countries.length]).getDisplayCountry(l));
        }
    return r;
  }

  private static String sentence(List<String> real, SplittableRandom random) {
    var r = new StringBuilder(real.get(random.nextInt(real.size())));
    for (int n = random.nextInt(3); n > 0; n--)
      r.append(random.nextInt(3) == 0 ? ", " : " ").append(real.get(random.nextInt(real.size())));
    var s = r.toString();
    return switch (random.nextInt(8)) {
      case 0 -> s.toUpperCase(Locale.ROOT);
      case 1 -> java.text.Normalizer.normalize(s, java.text.Normalizer.Form.NFD);
      case 2 -> s + " " + random.nextInt(100_000) + "!";
      default -> s;
    };
  }

  private static String random(List<String> real, SplittableRandom random) {
    var r = new StringBuilder();
    int[] range = RANGES[random.nextInt(RANGES.length)];
    for (int n = random.nextInt(1, 40); n > 0; n--)
      switch (random.nextInt(10)) {
        case 0 -> r.append(PARTS[random.nextInt(PARTS.length)]);
        case 1 -> range = RANGES[random.nextInt(RANGES.length)];
        case 2 -> r.append(' ');
        case 3 -> {
          var s = real.get(random.nextInt(real.size()));
          int from = s.offsetByCodePoints(0, random.nextInt(s.codePointCount(0, s.length())));
          r.append(s, from, s.offsetByCodePoints(from, Math.min(5, s.codePointCount(from, s.length()))));
        }
        default -> {
          int c = random.nextInt(range[0], range[1] + 1);
          if (Character.isDefined(c) && (c < 0xd800 || c > 0xdfff)) r.appendCodePoint(c);
        }
      }
    return r.toString();
  }

  private static void ids(Path source, Path texts, Path file) throws IOException {
    var tokenizer = Files.isDirectory(source) ? hub(source) : sentencePiece(source);
    var json = new JsonMapper();
    var all = new ArrayList<String>();
    for (var line : Files.readAllLines(texts)) all.add(json.readValue(line, String.class));
    for (int i = 0; i < 2; i++) all.stream().limit(2000).forEach(tokenizer::apply); // warm
    long start = System.nanoTime();
    var ids = all.stream().map(tokenizer).toList();
    System.err.printf("%s: %d texts in %.2f s on one thread%n", source, all.size(), (System.nanoTime() - start) / 1e9);
    try (var out = new PrintWriter(Files.newBufferedWriter(file))) {
      for (int[] row : ids)
        out.println(java.util.Arrays.stream(row).mapToObj(String::valueOf).collect(Collectors.joining(",", "[", "]")));
    }
  }

  private static Function<String, int[]> hub(Path folder) throws IOException {
    return HubTokenizer.of(folder, Map.of())::raw;
  }

  private static Function<String, int[]> sentencePiece(Path file) throws IOException {
    return SentencePiece.read(file)::encode;
  }
}
