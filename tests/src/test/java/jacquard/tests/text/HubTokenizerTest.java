package jacquard.tests.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jacquard.clip.text.TokenizerFiles;
import jacquard.clip.text.hub.HubTokenizer;
import jacquard.clip.text.hub.Tiktoken;
import jacquard.clip.text.sentence.SentencePiece;
import jacquard.tests.verify.Report;
import jacquard.tests.verify.input.TokenizersFamily;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HubTokenizerTest {
  private static final Path FOLDER = Path.of("src/main/resources/fixtures/tokenizers");
  private static final List<String> KINDS =
      List.of("bert", "roberta", "modernbert", "siglip", "xlm_roberta", "mt5", "gemma", "nllb");
  @TempDir private Path work;

  private static HubTokenizer of(String kind) throws IOException {
    return HubTokenizer.of(FOLDER.resolve(kind), Map.of());
  }

  /// What Python makes of a folder without `tokenizer.json` is the same tokenizer.
  @Test void olderFilesGiveTheSameIds() throws IOException {
    Files.copy(FOLDER.resolve("texts.json"), work.resolve("texts.json"));
    for (var kind : List.of("bert", "roberta", "siglip", "gemma")) {
      Files.createDirectory(work.resolve(kind));
      try (var files = Files.list(FOLDER.resolve(kind))) {
        for (var f : files.filter(f -> !f.endsWith("tokenizer.json")).toList())
          Files.copy(f, work.resolve(kind).resolve(f.getFileName()));
      }
    }
    var out = new java.io.ByteArrayOutputStream();
    var report = new Report(new PrintStream(out));
    new TokenizersFamily().verify(work, report);
    assertEquals(0, report.failedCount(), out::toString);
    assertTrue(report.passedCount() >= 4 * 5);
  }

  @Test void whatIsUnknownIsRefusedByName() throws IOException {
    var json = Files.readString(FOLDER.resolve("bert/tokenizer.json"));
    refused(json.replace("\"BertNormalizer\"", "\"Shouting\""), "normalizer \"Shouting\"");
    refused(json.replace("\"BertPreTokenizer\"", "\"Knitting\""), "pre-tokenizer \"Knitting\"");
    refused(json.replace("\"TemplateProcessing\"", "\"Stamping\""), "post-processor \"Stamping\"");
    refused(json.replace("\"WordPiece\"", "\"Oracle\""), "decoder \"Oracle\"", "model \"Oracle\"");
    refused(json.substring(0, json.length() / 2), "is no JSON");
    refused("[]", "expected an object");
    refused("{}", "model: is missing");
    refused(json.replaceFirst("\"\\[PAD]\": 0", "\"[PAD]\": 2000000000"), "expected an id from 0");
  }

  /// What downloads leave in a file's place is named, whatever file of a tokenizer it is.
  @Test void whatDownloadsLeaveIsNamed() throws IOException {
    var kinds = Map.of("vocab.txt", "bert", "merges.txt", "roberta", "vocab.json", "roberta", "spiece.model", "siglip",
        "tokenizer.json", "bert", "tokenizer_config.json", "bert");
    for (var kind : kinds.entrySet()) {
      var folder = Files.createDirectories(work.resolve(kind.getKey() + ".d"));
      try (var files = Files.list(FOLDER.resolve(kind.getValue()))) {
        var whole = kind.getKey().equals("tokenizer.json");
        for (var f : files.filter(f -> whole || !f.endsWith("tokenizer.json")).toList())
          Files.copy(f, folder.resolve(f.getFileName()));
      }
      assertTrue(Files.exists(folder.resolve(kind.getKey())), kind.toString());
      Files.writeString(folder.resolve(kind.getKey()), "version https://git-lfs.github.com/spec/v1\noid sha256:00\n");
      var e = assertThrows(IOException.class, () -> HubTokenizer.of(folder, Map.of()), kind.toString());
      assertTrue(e.getMessage().contains(kind.getKey() + ": this is a Git LFS pointer"), e.getMessage());
    }
  }

  private void refused(String json, String... anyOf) throws IOException {
    var file = work.resolve("tokenizer.json");
    Files.writeString(file, json);
    var e = assertThrows(IOException.class, () -> HubTokenizer.of(work, Map.of()));
    assertTrue(e.getMessage().contains(file.toString()) && List.of(anyOf).stream().anyMatch(e.getMessage()::contains),
        e.getMessage());
  }

  @Test void optionsAreChecked() {
    var bert = FOLDER.resolve("bert");
    assertTrue(assertThrows(IllegalArgumentException.class, () -> HubTokenizer.of(bert, Map.of("strip_sep", true)))
        .getMessage().contains("strip_sep_token"));
    assertThrows(IllegalArgumentException.class, () -> HubTokenizer.of(bert, Map.of("clean", "thoroughly")));
    assertThrows(IllegalArgumentException.class, () -> HubTokenizer.of(bert, Map.of("strip_sep_token", "yes")));
    assertTrue(assertThrows(IllegalArgumentException.class, () ->
        HubTokenizer.of(FOLDER.resolve("nllb"), Map.of("src_lang", "tlh_Latn"))).getMessage().contains("tlh_Latn"));
    assertTrue(assertThrows(IllegalArgumentException.class, () -> Tiktoken.of(FOLDER, "r51k_base", Map.of()))
        .getMessage().contains("r50k_base"));
    assertTrue(assertThrows(IOException.class, () -> Tiktoken.of(FOLDER, "r50k_base", Map.of())).getMessage()
        .contains("r50k_base.tiktoken"));
    assertTrue(assertThrows(IOException.class, () -> TokenizerFiles.of(FOLDER, "roberta-base", Map.of())).getMessage()
        .contains("tokenizer.json"));
    assertThrows(IllegalArgumentException.class, () -> of("bert").tokenize("a cat", 1));
  }

  @Test void damagedFilesAreRefused() throws IOException {
    var bytes = Files.readAllBytes(FOLDER.resolve("siglip/spiece.model"));
    var random = new SplittableRandom(1);
    var file = work.resolve("damaged.model");
    for (int i = 0; i < 200; i++) {
      byte[] b = random.nextInt(4) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
      for (int n = random.nextInt(6); n > 0 && b.length > 0; n--)
        b[random.nextInt(random.nextInt(b.length) + 1)] = (byte) random.nextInt();
      Files.write(file, b);
      try { SentencePiece.read(file).encode("a photo of a cat, ﬁne e\u0301"); }
      catch (IOException e) { assertTrue(e.getMessage().contains(file.toString()), e.getMessage()); }
    }
    var tiktoken = work.resolve("t.tiktoken");
    Files.writeString(tiktoken, "IQ== 0\nIg== zero\n");
    assertTrue(assertThrows(IOException.class, () ->
        Tiktoken.read(tiktoken, "'(?:[sdmt]|ll|ve|re)| ?\\p{L}++| ?\\p{N}++| "
            + "?[^\\s\\p{L}\\p{N}]++|\\s++$|\\s+(?!\\S)|\\s", 0, Map.of()))
        .getMessage().contains("line 2"));
  }

  /// Long words without an end, marks, spaces, control characters and halves of surrogates, each of 260,000 characters:
  /// seconds at most, none lost. In time that grows with the square they would take minutes.
  @Test void longTextsTakeLinearTime() throws IOException {
    int n = 1 << 18;
    var texts = List.of("a".repeat(n), "ab ".repeat(n / 3), " ".repeat(n), "\n ".repeat(n / 2), "\u0301".repeat(n),
        "字".repeat(n), "\ud83d".repeat(n), "😀".repeat(n / 2), "\0\u0007".repeat(n / 2),
        "<s>".repeat(n / 3), "<".repeat(n), "!".repeat(n), "7".repeat(n), "é".repeat(n), "▁".repeat(n));
    for (var kind : KINDS) {
      var t = of(kind);
      for (var s : texts)
        assertTimeout(Duration.ofSeconds(20), () -> t.raw(s), () -> kind + " of " + s.substring(0, 2));
    }
    for (var model : List.of("siglip/spiece.model", "gemma/tokenizer.model", "xlm_roberta/sentencepiece.bpe.model")) {
      var t = SentencePiece.read(FOLDER.resolve(model));
      for (var s : texts)
        assertTimeout(Duration.ofSeconds(20), () -> t.encode(s), () -> model + " of " + s.substring(0, 2));
    }
    var t = Tiktoken.of(FOLDER.resolve("r50k_base"), "r50k_base", Map.of());
    for (var s : texts) {
      int[] ids = assertTimeout(Duration.ofSeconds(20), () -> t.encode(s), () -> "tiktoken of " + s.substring(0, 2));
      if (!s.startsWith("\ud83d") || s.startsWith("😀")) assertEquals(s, t.decode(ids));
    }
  }

  /// 1 + 11 and 11 + 1 have the same sum in single precision, and the first found stays; in double precision the other
  /// would win. As SentencePiece 0.2.3.
  @Test void sumsAreThoseOfSinglePrecision() throws IOException {
    int[] ids = SentencePiece.read(FOLDER.resolve("siglip/spiece.model"))
        .encode("Telugu – Guatemala man dancing 29111!");
    assertArrayEquals(new int[] {28, 362, 2}, java.util.Arrays.copyOfRange(ids, ids.length - 3, ids.length));
  }

  @Test void halvesOfSurrogatesAreReplaced() throws IOException {
    for (var kind : KINDS) assertArrayEquals(of(kind).raw("a \ufffd cat"), of(kind).raw("a \ud83d cat"), kind);
  }

  /// Marks in the text stay whole and say nothing of its end.
  @Test void decodingGivesTheTextBack() throws IOException {
    for (var kind : List.of("roberta", "gemma"))
      assertEquals("a photo of a cat, 3.5 <unk> Ångström 字",
          of(kind).decode(of(kind).encode("a photo of a cat, 3.5 <unk> Ångström 字")), kind);
    assertEquals("a photo of a cat.", of("bert").decode(of("bert").encode("a photo of a cat.")));
    assertEquals("a photo of a cat.", of("siglip").decode(of("siglip").encode("a photo of a cat.")));
    assertThrows(IllegalArgumentException.class, () -> of("bert").decode(new int[] {1 << 20}));
  }

  @Test void cutTextsAreCounted() throws IOException {
    var t = of("bert");
    t.tokenize(List.of("a", "a photo of a cat on a mat", "a photo of a dog on a mat"), 5);
    assertEquals(2, t.truncated());
    assertArrayEquals(t.tokenize("a cat", 9), java.util.Arrays.copyOf(t.unpadded("a cat", 9), 9));
  }
}
