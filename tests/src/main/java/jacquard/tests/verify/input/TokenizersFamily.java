package jacquard.tests.verify.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.text.Tokenizer;
import jacquard.clip.text.TokenizerFiles;
import jacquard.clip.text.hub.Tiktoken;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Tokenizers of the hub beside OpenCLIP: a folder a tokenizer with its files and `ids.json`, one case a run;
/// `texts.json` beside the folders.
///
/// ```
/// {"special": {"pad": …, "vocab_size": …}, "runs":
/// [{"settings": {"context_length": …, "pad": false, …}, "ids": [[…] per text]} or {"settings": …, "refused": …}],
/// "decoded": […]}
/// ```
public final class TokenizersFamily implements Family {
  @Override public String name() { return "tokenizers"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    var texts = List.of(new ObjectMapper().readValue(folder.resolve("texts.json").toFile(), String[].class));
    try (var kinds = Files.list(folder)) {
      for (var kind : kinds.filter(k -> Files.exists(k.resolve("ids.json"))).sorted().toList()) {
        var name = "tokenizers/" + kind.getFileName();
        try { kind(name, kind, texts, report); }
        catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  private static void kind(String name, Path folder, List<String> texts, Report report) throws IOException {
    var cases = new ObjectMapper().readTree(folder.resolve("ids.json").toFile());
    var special = cases.required("special");
    for (var run : cases.required("runs")) {
      var settings = run.required("settings");
      var n = name + " " + settings.toString().replace("\"", "");
      try {
        if (run.has("refused")) {
          report.check(n, refused(folder, special, settings),
              "is not refused, but upstream it is: " + run.get("refused").asText());
          continue;
        }
        var differs = ids(of(folder, special, settings), settings, texts, run.required("ids"));
        report.check(n, differs.isEmpty(), differs);
      } catch (IOException | RuntimeException e) { report.failed(n, e); }
    }
    var tokenizer = of(folder, special, new ObjectMapper().createObjectNode());
    int pad = special.required("pad").asInt(), size = special.required("vocab_size").asInt();
    report.check(name + " marks", tokenizer.pad() == pad && tokenizer.vocabulary() == size,
        "pad %d and %d ids, expected %d and %d".formatted(tokenizer.pad(), tokenizer.vocabulary(), pad, size));
    if (!cases.has("decoded")) return;
    var differs = new StringBuilder();
    for (int i = 0; i < texts.size(); i++) {
      String found = tokenizer.decode(tokenizer.unpadded(texts.get(i), 1 << 20)), expected =
          cases.get("decoded").get(i).asText();
      if (!found.equals(expected))
        differs.append("%s is %s, expected %s; ".formatted(TokenizerFamily.form(texts.get(i)),
            TokenizerFamily.form(found), TokenizerFamily.form(expected)));
    }
    report.check(name + " decoded", differs.isEmpty(), differs.toString());
  }

  private static boolean refused(Path folder, JsonNode special, JsonNode settings) {
    try { of(folder, special, settings); }
    catch (IOException | IllegalArgumentException e) { return true; }
    return false;
  }

  private static Tokenizer of(Path folder, JsonNode special, JsonNode settings) throws IOException {
    Map<String, Object> options = new HashMap<>(new ObjectMapper().convertValue(settings, Map.class));
    options.remove("context_length");
    options.remove("pad");
    var name = folder.getFileName().toString();
    if (!special.has("pattern") || Tiktoken.has(name)) return TokenizerFiles.of(folder, name, options);
    return Tiktoken.read(folder.resolve(name + ".tiktoken"), special.get("pattern").asText(),
        special.required("vocab_size").asInt() - 3, options);
  }

  private static String ids(Tokenizer tokenizer, JsonNode settings, List<String> texts, JsonNode rows) {
    int context = settings.path("context_length").asInt(1 << 20), wrong = 0;
    boolean pads = settings.path("pad").asBoolean(true);
    var differs = new StringBuilder();
    if (rows.size() != texts.size()) return rows.size() + " rows for " + texts.size() + " texts";
    for (int i = 0; i < texts.size(); i++) {
      var expected = new ObjectMapper().convertValue(rows.get(i), int[].class);
      int[] found = pads ? tokenizer.tokenize(texts.get(i), context) : tokenizer.unpadded(texts.get(i), context);
      if (!Arrays.equals(found, expected) && wrong++ < 3)
        differs.append("%s is %s, expected %s; ".formatted(TokenizerFamily.form(texts.get(i)), Arrays.toString(found),
            Arrays.toString(expected)));
    }
    return wrong == 0 ? "" : wrong + " of " + texts.size() + " texts: " + differs;
  }
}
