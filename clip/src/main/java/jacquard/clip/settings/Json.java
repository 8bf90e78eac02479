package jacquard.clip.settings;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/// JSON as plain values: `Map<String, Object>` in the order of the file, `List`, `String`, `Integer`, `Long`, `Double`,
/// `Boolean`, null. A key given twice and text after the end are errors.
public final class Json {
  private Json() {}

  /// No config is larger; a larger file is refused unread.
  private static final long LARGEST = 16 << 20;

  private static final JsonMapper MAPPER = JsonMapper.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .build();

  private static final DefaultPrettyPrinter PRINTER = new DefaultPrettyPrinter(
      Separators.createDefaultInstance().withObjectFieldValueSpacing(Separators.Spacing.AFTER)
          .withObjectEmptySeparator("").withArrayEmptySeparator(""))
      .withObjectIndenter(new DefaultIndenter("  ", "\n"));

  /// @throws IOException if it is not one JSON value
  public static Object parse(String text) throws IOException {
    try {
      return MAPPER.readValue(text, Object.class);
    } catch (JsonProcessingException e) {
      throw new IOException(said(e), e);
    }
  }

  /// The object that a file holds.
  ///
  /// @throws IOException naming the file and the place, if it is no JSON object or larger than 16 MiB
  public static Map<String, Object> read(Path file) throws IOException {
    Presence.file(file, "a JSON file");
    long size = Files.size(file);
    if (size > LARGEST)
      throw new IOException(file + ": " + size + " bytes, expected a JSON file of at most " + LARGEST);
    try {
      return object(Files.readString(file), file.toString());
    } catch (MalformedInputException e) {
      throw new IOException(file + ": " + FirstBytes.of(file).orElse("not UTF-8"), e);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw FirstBytes.of(file).map(w -> new IOException(file + ": " + w, e)).orElse(e);
    }
  }

  /// The object that a text holds; `where` opens the error.
  public static Map<String, Object> object(String text, String where) throws IOException {
    Object value;
    try {
      value = parse(text);
    } catch (IOException e) {
      throw new IOException(where + ": not JSON: "
          + (e instanceof JsonProcessingException j ? said(j) : e.getMessage()), e);
    }
    if (value instanceof Map<?, ?> map) return Values.object(map);
    throw new IOException(where + ": expected a JSON object, found "
        + (value == null ? "null" : value instanceof java.util.List ? "an array" : "the value " + value));
  }

  /// Plain values as Jackson's tree.
  public static JsonNode tree(Object value) { return MAPPER.valueToTree(value); }

  /// Indented by two, a line a key, a newline at the end.
  public static String text(Object value) {
    try {
      return MAPPER.writer().without(JsonGenerator.Feature.ESCAPE_NON_ASCII).with(PRINTER).writeValueAsString(value)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(e);
    }
  }

  /// What is wrong with a text that is no JSON, and where.
  public static String said(JsonProcessingException e) {
    var at = e.getLocation();
    String first = e.getOriginalMessage().lines().findFirst().orElse("")
        .replaceAll("start marker at \\[Source: .*?; line: (\\d+), column: (\\d+)\\]", "begun in line $1, column $2");
    return first + (at == null ? "" : " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")");
  }
}
