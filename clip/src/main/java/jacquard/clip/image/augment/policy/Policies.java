package jacquard.clip.image.augment.policy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;

/// The tables of policies: `policies.json`.
final class Policies {
  /// An operation of a policy.
  ///
  /// @param operation   torchvision's or timm's name
  /// @param probability that it is applied
  /// @param level       its strength: a bin of ten, or timm's level from 0 to 10
  record Step(String operation, double probability, double level) {}

  private static final class Tables {
    static final JsonNode ALL = read();

    private static JsonNode read() {
      try (var in = Policies.class.getResourceAsStream("policies.json")) { return new ObjectMapper().readTree(in); }
      catch (IOException e) { throw new UncheckedIOException(e); }
    }
  }

  private Policies() {}

  /// Sequences of operations, of which a policy draws one.
  static List<List<Step>> pairs(String form, String name) {
    var table = Tables.ALL.get(form);
    if (!table.has(name))
      throw new IllegalArgumentException("policy \"" + name + "\" is unknown, expected one of " + String.join(", ",
          (Iterable<String>) table::fieldNames));
    return list(table.get(name)).stream().map(pair -> list(pair).stream().map(s -> new Step(s.get(0).asText(),
        s.get(1).asDouble(), s.get(2).asDouble())).toList()).toList();
  }

  /// Operations that a policy draws from, with their weights; all of weight 1 where the table has none.
  static Map<String, Double> choices(String name) {
    var table = Tables.ALL.get(name);
    var r = new LinkedHashMap<String, Double>();
    if (table.isArray()) table.forEach(o -> r.put(o.asText(), 1.0));
    else table.properties().forEach(e -> r.put(e.getKey(), e.getValue().asDouble()));
    return r;
  }

  static boolean weighted(String name) { return Tables.ALL.get(name).isObject(); }

  private static List<JsonNode> list(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).toList();
  }
}
