package jacquard.clip.model;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// Reads one JSON object strictly: each key once asked for is known; any other is an error that lists the known ones.
final class Json {
  private final JsonNode node;
  private final String where;
  private final Set<String> known = new LinkedHashSet<>();

  Json(JsonNode node, String where) {
    if (node == null || !node.isObject()) throw new IllegalArgumentException(where + ": expected a JSON object, not " + node);
    this.node = node;
    this.where = where;
  }

  private JsonNode at(String key) {
    known.add(key);
    var v = node.get(key);
    return v == null || v.isNull() ? null : v;
  }

  boolean has(String key) { return at(key) != null; }
  JsonNode raw(String key) { return at(key); }

  int integer(String key, int otherwise) {
    var v = at(key);
    if (v == null) return otherwise;
    if (!v.isIntegralNumber()) throw wrong(key, v, "an integer");
    return v.intValue();
  }

  double number(String key, double otherwise) {
    var v = at(key);
    if (v == null) return otherwise;
    if (!v.isNumber()) throw wrong(key, v, "a number");
    return v.doubleValue();
  }

  boolean flag(String key) {
    var v = at(key);
    if (v == null) return false;
    if (!v.isBoolean()) throw wrong(key, v, "true or false");
    return v.booleanValue();
  }

  String text(String key, String otherwise, String... allowed) {
    var v = at(key);
    if (v == null) return otherwise;
    if (!v.isTextual() || allowed.length > 0 && !List.of(allowed).contains(v.textValue())) throw wrong(key, v, allowed.length > 0 ? "one of " + List.of(allowed) : "a text");
    return v.textValue();
  }

  /// A number, or a list of numbers.
  List<Integer> integers(String key, List<Integer> otherwise) {
    var v = at(key);
    if (v == null) return otherwise;
    if (v.isIntegralNumber()) return List.of(v.intValue());
    var r = new ArrayList<Integer>();
    for (var n : v) {
      if (!n.isIntegralNumber()) throw wrong(key, v, "an integer or a list of integers");
      r.add(n.intValue());
    }
    return List.copyOf(r);
  }

  IllegalArgumentException wrong(String key, JsonNode value, String expected) {
    return new IllegalArgumentException(where + "." + key + " is " + value + ", expected " + expected);
  }

  /// Fails if the object has a key that nobody asked for.
  void done() {
    for (var it = node.fieldNames(); it.hasNext(); ) {
      var k = it.next();
      if (!known.contains(k)) throw new IllegalArgumentException(where + ": unknown key \"" + k + "\"; known are " + known);
    }
  }
}
