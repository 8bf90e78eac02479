package jacquard.clip.data.shards;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import jacquard.clip.data.Preparation;
import jacquard.tensor.Random;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Pattern;

/// Which parts of a sample are its picture and its caption.
///
/// @param images        extensions, the first that is there wins
/// @param texts         the same of captions
/// @param json          keys of captions within a `.json`, the first with a text wins; empty where captions are texts
///   of their own
/// @param weights       of these keys: those of positive weight come first, in an order drawn by it; the others after
///   them in theirs; missing ones are 0
/// @param maximumPixels the largest width × height that is decoded
public record Fields(List<String> images, List<String> texts, List<String> json, List<Double> weights,
    long maximumPixels) {
  /// As OpenCLIP's defaults.
  public static final Fields DEFAULT =
      new Fields(List.of("jpg", "png", "jpeg", "webp"), List.of("txt"), List.of(), List.of(), 25_000_000);
  /// No caption is longer.
  static final int LONGEST_TEXT = 1 << 24;
  static final String NO_IMAGE = "without a picture", NO_TEXT = "without a caption", EMPTY = "with an empty caption",
      NO_UTF8 = "whose caption is no UTF-8 text", NO_JSON = "whose .json is none or holds no caption",
      LARGE = "that are too large", BROKEN = "whose picture is broken", SHARD = "whose shard could not be read";
  /// What Python's `str.strip` takes away.
  private static final Pattern MARGINS = Pattern.compile("^[\\s\\x1c-\\x1f\\x85\\p{Z}]+|[\\s\\x1c-\\x1f\\x85\\p{Z}]+$");

  /// Python writes numbers that are none.
  private static final JsonMapper JSON = JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();

  public Fields {
    images = List.copyOf(images);
    texts = List.copyOf(texts);
    json = List.copyOf(json);
    weights = List.copyOf(weights);
    if (images.isEmpty()) throw new IllegalArgumentException("no extension of pictures");
    if (texts.isEmpty() && json.isEmpty()) throw new IllegalArgumentException("no extension of captions");
    if (weights.size() > json.size())
      throw new IllegalArgumentException(weights.size() + " weights of captions for " + json.size() + " keys");
    for (double w : weights)
      if (!(w >= 0) || Double.isInfinite(w))
        throw new IllegalArgumentException("the weight " + w + " of a caption, expected 0 or more");
  }

  ShardIndex.Part image(ShardIndex.Sample s) { return s.first(images); }
  ShardIndex.Part text(ShardIndex.Sample s) { return s.first(json.isEmpty() ? texts : List.of("json")); }

  /// The caption that a part holds.
  ///
  /// @param name of the sample, for errors
  String caption(byte[] part, String name, Random draw) throws Preparation.LeftOut {
    String text;
    try { text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(part)).toString(); }
    catch (CharacterCodingException e) {
      throw new Preparation.LeftOut(NO_UTF8, name + ": the caption is no UTF-8 text", e);
    }
    if (json.isEmpty()) {
      if (MARGINS.matcher(text).replaceAll("").isEmpty())
        throw new Preparation.LeftOut(EMPTY, name + ": the caption is empty", null);
      return text;
    }
    JsonNode object;
    try { object = JSON.readTree(text); }
    catch (IOException e) { throw new Preparation.LeftOut(NO_JSON, name + ": the .json is no JSON object", e); }
    for (var k : keys(draw))
      if (object.path(k).isTextual()) {
        var stripped = MARGINS.matcher(object.get(k).textValue()).replaceAll("");
        if (!stripped.isEmpty()) return stripped;
      }
    throw new Preparation.LeftOut(NO_JSON, name + ": the .json holds no text under " + String.join(", ", json), null);
  }

  /// The order in which keys are looked up: those with a weight drawn one by one, each by its share of what is left.
  List<String> keys(Random draw) {
    if (weights.isEmpty()) return json;
    var r = new ArrayList<String>();
    var left = new ArrayList<Integer>();
    for (int i = 0; i < weights.size(); i++) if (weights.get(i) > 0) left.add(i);
    for (int n = 0; !left.isEmpty(); n++) {
      double u = draw.uniform(n) * left.stream().mapToDouble(weights::get).sum();
      int at = 0;
      while (at < left.size() - 1 && (u -= weights.get(left.get(at))) >= 0) at++;
      r.add(json.get(left.remove(at)));
    }
    for (int i = 0; i < json.size(); i++) if (i >= weights.size() || weights.get(i) == 0) r.add(json.get(i));
    return Collections.unmodifiableList(r);
  }
}
