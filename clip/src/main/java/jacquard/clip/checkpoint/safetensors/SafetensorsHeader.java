package jacquard.clip.checkpoint.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import jacquard.clip.checkpoint.Stored;
import jacquard.clip.checkpoint.Weights.Entry;
import jacquard.clip.settings.Json;
import jacquard.tensor.Shape;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The header of a safetensors file: eight bytes with its length N, then N bytes of JSON,
/// `{"__metadata__": {…}, "NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}`, then the data, which
/// the tensors cover without holes or overlaps (the format's description, huggingface/safetensors).
record SafetensorsHeader(Map<String, String> metadata, Map<String, Entry> entries) {
  /// As the reference reader has it.
  static final long LARGEST = 100_000_000;

  private static final JsonFactory JSON = JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .build();

  /// @param size the bytes of data behind the header
  /// @throws IOException that says what is wrong; the caller adds the file's name
  static SafetensorsHeader parse(byte[] json, long size) throws IOException {
    var metadata = new LinkedHashMap<String, String>();
    var entries = new LinkedHashMap<String, Entry>();
    try (var parser = JSON.createParser(new String(json, StandardCharsets.UTF_8))) {
      expect(parser.nextToken() == JsonToken.START_OBJECT, "the header is no JSON object");
      while (parser.nextToken() != JsonToken.END_OBJECT) {
        String name = parser.currentName();
        parser.nextToken();
        if (name.equals("__metadata__")) metadata(parser, metadata);
        else entries.put(name, entry(parser, name, size));
      }
      expect(parser.nextToken() == null, "the header goes on behind its JSON object");
    } catch (JsonProcessingException e) {
      throw new IOException("the header is not JSON: " + Json.said(e), e);
    }
    covered(entries, size);
    return new SafetensorsHeader(Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(entries));
  }

  private static void metadata(JsonParser parser, Map<String, String> metadata) throws IOException {
    expect(parser.currentToken() == JsonToken.START_OBJECT, "__metadata__ is no JSON object");
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      expect(parser.nextToken() == JsonToken.VALUE_STRING, "__metadata__ " + key + " is no text");
      metadata.put(key, parser.getText());
    }
  }

  private static Entry entry(JsonParser parser, String name, long size) throws IOException {
    expect(parser.currentToken() == JsonToken.START_OBJECT, name + " is no JSON object");
    Stored stored = null;
    List<Long> dims = null, offsets = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = parser.currentName();
      parser.nextToken();
      switch (key) {
        case "dtype" -> stored = stored(parser, name);
        case "shape" -> dims = numbers(parser, name + " shape", 16);
        case "data_offsets" -> offsets = numbers(parser, name + " data_offsets", 2);
        default ->
            throw new IOException(name + " has the unknown key " + key + ", expected dtype, shape and data_offsets");
      }
    }
    expect(stored != null && dims != null && offsets != null && offsets.size() == 2,
        name + " lacks one of dtype, shape and data_offsets");
    long begin = offsets.get(0), end = offsets.get(1), bytes = stored.bytes();
    expect(begin <= end && end <= size, name + " lies at " + begin + " … " + end + ", outside the " + size
        + " bytes of data");
    for (long d : dims) {
      expect(d <= Integer.MAX_VALUE, name + " has the shape " + dims + ", too long an axis");
      try {
        bytes = Math.multiplyExact(bytes, d);
      } catch (ArithmeticException e) {
        throw new IOException(name + " has the shape " + dims + ", which overflows", e);
      }
    }
    expect(bytes == end - begin, name + " is " + stored + " " + dims + ", " + bytes + " bytes, but lies in "
        + (end - begin));
    return new Entry(name, stored, Shape.of(dims.stream().mapToInt(Long::intValue).toArray()), begin, end);
  }

  private static Stored stored(JsonParser parser, String name) throws IOException {
    for (Stored s : Stored.values()) if (s.name().equals(parser.getText())) return s;
    throw new IOException(name + " has the dtype " + parser.getText() + ", expected one of "
        + List.of(Stored.values()));
  }

  private static List<Long> numbers(JsonParser parser, String what, int most) throws IOException {
    expect(parser.currentToken() == JsonToken.START_ARRAY, what + " is no list");
    var numbers = new ArrayList<Long>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser.currentToken() == JsonToken.VALUE_NUMBER_INT,
          what + " holds " + parser.getText() + ", expected a whole number");
      long n = parser.getLongValue();
      expect(n >= 0, what + " holds " + n + ", expected no negative number");
      expect(numbers.size() < most, what + " has more than " + most + " numbers");
      numbers.add(n);
    }
    return numbers;
  }

  private static void covered(Map<String, Entry> entries, long size) throws IOException {
    var ordered = new ArrayList<>(entries.values());
    ordered.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long at = 0;
    for (Entry e : ordered) {
      expect(e.begin() >= at, e.name() + " begins at " + e.begin()
          + " and overlaps the tensor before it, which ends at " + at);
      expect(e.begin() == at, e.name() + " begins at " + e.begin() + ", leaving a hole behind " + at);
      at = e.end();
    }
    expect(at == size, "the tensors end at " + at + ", the data at " + size);
  }

  private static void expect(boolean holds, String message) throws IOException {
    if (!holds) throw new IOException(message);
  }
}
