package jacquard.clip.model.hf.decoder;

import jacquard.clip.model.hf.OwnConfig;
import jacquard.clip.nn.transformer.Rotation;
import jacquard.tensor.Sequences;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// How positions turn the first channels of a head.
///
/// @param frequencies of each pair, of captions up to `limit` tokens
/// @param beyond the same of longer ones
/// @param factor on sines and cosines
record Rotary(double[] frequencies, double[] beyond, int limit, double factor) {
  private static final Set<String> TYPES = Set.of("default", "linear", "llama3", "yarn", "longrope");

  static Optional<String> refused(OwnConfig c) {
    for (var kind : new String[] {"sliding_attention", "full_attention"}) {
      var type = type(parameters(c, kind));
      if (!TYPES.contains(type)) return Optional.of("rope_type " + type + " of " + c.name());
    }
    return Optional.empty();
  }

  private static String type(Map<?, ?> p) {
    return String.valueOf(p.containsKey("rope_type") ? p.get("rope_type") : p.containsKey("type") ? p.get("type")
        : "default");
  }

  /// As newer configs say it, a kind of layer apart or all together, or as older ones do.
  private static Map<?, ?> parameters(OwnConfig c, String kind) {
    if (c.values().get("rope_parameters") instanceof Map<?, ?> all)
      return all.get(kind) instanceof Map<?, ?> own ? own : all;
    return c.values().get("rope_scaling") instanceof Map<?, ?> scaling
        && !(kind.startsWith("sliding") && c.type().startsWith("gemma3")) ? scaling : Map.of();
  }

  static Rotary of(OwnConfig c, String kind, int perHead) {
    var p = parameters(c, kind);
    double theta = number(p, "rope_theta", kind.startsWith("sliding") && c.type().equals("gemma3_text")
        ? c.number("rope_local_base_freq", 1e4) : c.number("rope_theta", 1e4));
    int dims = (int) (perHead * number(p, "partial_rotary_factor", c.number("partial_rotary_factor", 1))), pairs =
        dims / 2;
    double factor = number(p, "factor", 1), from =
        number(p, "original_max_position_embeddings",
        c.number("original_max_position_embeddings", c.number("max_position_embeddings", 4096)));
    double[] f = new double[pairs], beyond = f;
    for (int i = 0; i < pairs; i++) f[i] = Math.pow(theta, -2.0 * i / dims);
    int limit = Integer.MAX_VALUE;
    double scale = 1;
    switch (type(p)) {
      case "linear" -> { for (int i = 0; i < pairs; i++) f[i] /= factor; }
      case "llama3" -> {
        double low = number(p, "low_freq_factor", 1), high = number(p, "high_freq_factor", 4);
        for (int i = 0; i < pairs; i++) {
          double wave = 2 * Math.PI / f[i], s = Math.clamp((from / wave - low) / (high - low), 0, 1);
          f[i] = (1 - s) * f[i] / factor + s * f[i];
        }
      }
      case "yarn" -> {
        double low = Math.max(Math.floor(turns(32, dims, from, theta)), 0), high =
            Math.min(Math.ceil(turns(1, dims, from, theta)), dims - 1);
        for (int i = 0; i < pairs; i++) {
          double ramp = Math.clamp((i - low) / Math.max(high - low, 1e-3), 0, 1);
          f[i] = ramp * f[i] / factor + (1 - ramp) * f[i];
        }
        scale = number(p, "attention_factor", factor > 1 ? 0.1 * Math.log(factor) + 1 : 1);
      }
      case "longrope" -> {
        limit = (int) from;
        beyond = divided(f, p, "long_factor");
        f = divided(f, p, "short_factor");
        double stretch = c.number("max_position_embeddings", from) / from;
        scale = number(p, "attention_factor", stretch > 1 ? Math.sqrt(1 + Math.log(stretch) / Math.log(from)) : 1);
      }
      default -> {}
    }
    return new Rotary(f, beyond, limit, scale);
  }

  /// The pair that turns so often within `from` positions.
  private static double turns(double times, int dims, double from, double theta) {
    return dims * Math.log(from / (times * 2 * Math.PI)) / (2 * Math.log(theta));
  }

  private static double[] divided(double[] f, Map<?, ?> p, String key) {
    double[] r = new double[f.length];
    if (!(p.get(key) instanceof List<?> l) || l.size() != f.length)
      throw new IllegalArgumentException("rope_parameters." + key + " is " + p.get(key) + ", expected " + f.length
          + " numbers");
    for (int i = 0; i < r.length; i++) r[i] = f[i] / ((Number) l.get(i)).doubleValue();
    return r;
  }

  private static double number(Map<?, ?> p, String key, double standard) {
    return p.get(key) instanceof Number n ? n.doubleValue() : standard;
  }

  /// Channels of a head that are turned.
  int channels() { return 2 * frequencies.length; }

  Rotation rotation(Sequences s, int heads) {
    int[] owners = s.owners();
    var r = Rotation.of(s.rows(), heads, frequencies.length,
        (row, pair) -> s.positions()[row] * (s.positions()[s.to(owners[row]) - 1] >= limit ? beyond
        : frequencies)[pair]).halves();
    return factor == 1 ? r : new Rotation(r.cosine().mul((float) factor), r.sine().mul((float) factor), r.pairs(),
        r.apart());
  }
}
