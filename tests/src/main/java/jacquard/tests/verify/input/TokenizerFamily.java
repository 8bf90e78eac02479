package jacquard.tests.verify.input;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jacquard.clip.text.Cleaning;
import jacquard.clip.text.ClipTokenizer;
import jacquard.tests.verify.Family;
import jacquard.tests.verify.Report;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;

/// Captions beside their ids, and texts beside their cleaned forms, of any seed. A file is a list of captions or an
/// object of lists, one a cleaning:
///
/// ```
/// {"text": …, "ids77": […], "ids32": […], "bpe": […], "decoded": …}   ids of that context, their padding of zeros may
/// be left out; ids alone, and their text {"text": …, "cleaned": …}
/// ```
public final class TokenizerFamily implements Family {
  @Override public String name() { return "tokenizer"; }

  @Override public void verify(Path folder, Report report) throws IOException {
    try (var files = Files.list(folder)) {
      for (var file : files.filter(f -> f.toString().endsWith(".json")).sorted().toList()) {
        var name = "tokenizer/" + file.getFileName();
        try {
          var cases = new ObjectMapper().readTree(file.toFile());
          if (cases.isEmpty()) throw new IOException(file + " holds no case");
          if (cases.isArray()) each(name, cases, report, TokenizerFamily::caption);
          else
            for (var c : cases.properties())
              each(name + " " + c.getKey(), c.getValue(), report, row -> cleaned(Cleaning.named(c.getKey()), row));
        } catch (IOException | RuntimeException e) { report.failed(name, e); }
      }
    }
  }

  /// What differs in a case, or nothing.
  private interface Check { String differs(JsonNode row); }

  private static void each(String name, JsonNode rows, Report report, Check check) {
    for (int i = 0; i < rows.size(); i++) {
      var n = name + "[" + i + "]";
      try {
        var differs = check.differs(rows.get(i));
        report.check(n, differs.isEmpty(), differs);
      } catch (RuntimeException e) { report.failed(n, e); }
    }
  }

  private static String caption(JsonNode row) {
    var tokenizer = ClipTokenizer.clip();
    var text = row.required("text").asText();
    var differs = new StringBuilder();
    for (var form : row.properties()) {
      Object found, expected = form.getValue().isArray() ? ids(form.getValue()) : form.getValue().asText();
      switch (form.getKey()) {
        case "text" -> { continue; }
        case "bpe" -> found = Arrays.toString(tokenizer.encode(text));
        case "decoded" -> found = tokenizer.decode(tokenizer.encode(text));
        default -> {
          if (!form.getKey().matches("ids[0-9]+"))
            throw new IllegalArgumentException("form \"" + form.getKey() + "\" is unknown");
          int context = Integer.parseInt(form.getKey().substring(3));
          found = Arrays.toString(tokenizer.tokenize(text, context));
          expected = Arrays.toString(IntStream.range(0, context).map(i -> form.getValue().path(i).asInt(0)).toArray());
        }
      }
      if (!found.equals(expected))
        differs.append("%s of %s is %s, expected %s; ".formatted(form.getKey(), form(text), found, expected));
    }
    if (row.size() < 2) throw new IllegalArgumentException("nothing is expected of " + form(text));
    return differs.toString();
  }

  private static String cleaned(Cleaning cleaning, JsonNode row) {
    String text = row.required("text").asText(), found = cleaning.of(text), expected = row.required("cleaned").asText();
    return found.equals(expected) ? "" : form(text) + " is " + form(found) + ", expected " + form(expected);
  }

  private static String ids(JsonNode ids) {
    return Arrays.toString(IntStream.range(0, ids.size()).map(i -> ids.get(i).asInt()).toArray());
  }

  /// A text as a literal, so that characters that do not show are seen.
  static String form(String text) {
    var s = new StringBuilder("\"");
    text.chars().forEach(c -> s.append(c >= 0x20 && c < 0x7f ? String.valueOf((char) c) : "\\u%04x".formatted(c)));
    return s.append('"').toString();
  }
}
