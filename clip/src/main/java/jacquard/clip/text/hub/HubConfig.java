package jacquard.clip.text.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import jacquard.clip.settings.FirstBytes;
import jacquard.clip.settings.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Locale;

/// `tokenizer_config.json`, and `special_tokens_map.json` for what it lacks: which tokens are marks, and where padding
/// goes.
record HubConfig(Path file, JsonNode config, JsonNode marks) {
  static HubConfig read(Path folder) throws IOException {
    var file = folder.resolve("tokenizer_config.json");
    return new HubConfig(file, json(file), json(folder.resolve("special_tokens_map.json")));
  }

  static JsonNode json(Path file) throws IOException {
    if (!Files.exists(file)) return JsonNodeFactory.instance.objectNode();
    FirstBytes.refuse(file);
    try { return new ObjectMapper().readTree(file.toFile()); }
    catch (JsonProcessingException e) { throw new IOException(file + " is no JSON: " + Json.said(e), e); }
  }

  /// The class that reads it in Python, without `Fast`; empty where not said.
  String kind() { return config.path("tokenizer_class").asText("").replaceFirst("Fast$", ""); }

  boolean is(String name, boolean otherwise) { return config.path(name).asBoolean(otherwise); }

  /// The token of a name like `pad_token`, or null.
  String token(String name) {
    var t = config.hasNonNull(name) ? config.get(name) : marks.path(name);
    t = t.isObject() ? t.path("content") : t;
    return t.isTextual() ? t.textValue() : null;
  }

  String token(String name, String otherwise) { return token(name) instanceof String token ? token : otherwise; }

  int number(String name, int otherwise) { return config.path(name).asInt(otherwise); }

  boolean left(String side) throws IOException {
    return switch (config.path(side).asText("right").toLowerCase(Locale.ROOT)) {
      case "left" -> true;
      case "right" -> false;
      case String s -> throw new IOException(file + ": " + side + " is \"" + s + "\", expected left or right");
    };
  }

  /// The id of a mark that must be there.
  int id(Pipeline pipeline, String name) throws IOException {
    var token = token(name);
    if (token == null) throw new IOException(file + " names no " + name);
    int id = pipeline.id(token);
    if (id < 0) throw new IOException(file + ": " + name + " is \"" + token + "\", which the vocabulary has not");
    return id;
  }

  /// The id of a token that an option names.
  int id(Pipeline pipeline, String option, String token) {
    int id = pipeline.id(token);
    if (id < 0)
      throw new IllegalArgumentException("tokenizer_kwargs: " + option + " is \"" + token
          + "\", which the vocabulary has not");
    return id;
  }

  /// The pipeline with the added tokens that only the config names (`added_tokens_decoder`).
  Pipeline completed(Pipeline pipeline) throws IOException {
    var more = new ArrayList<>(pipeline.added().all());
    var known = new HashSet<Integer>();
    more.forEach(t -> known.add(t.id()));
    for (var e : config.path("added_tokens_decoder").properties()) {
      int id;
      try { id = Integer.parseInt(e.getKey()); }
      catch (NumberFormatException x) {
        throw new IOException(file + ": added_tokens_decoder has \"" + e.getKey() + "\", expected ids", x);
      }
      if (id < 0 || id > 1 << 24)
        throw new IOException(file + ": added_tokens_decoder has the id " + id + ", expected 0 to " + (1 << 24));
      if (known.add(id))
        more.add(TokenizerJson.token(new Fields(file, "added_tokens_decoder." + id, e.getValue()), id));
    }
    return more.size() == pipeline.added().all().size() ? pipeline : pipeline.adding(more);
  }
}
