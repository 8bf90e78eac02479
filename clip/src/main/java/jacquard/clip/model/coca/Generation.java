package jacquard.clip.model.coca;

import jacquard.clip.settings.Settings;

/// How a caption is searched for, as OpenCLIP's `generate` does it.
///
/// @param longest the most tokens of a caption, its beginning and its end included
/// @param shortest no caption ends before it has as many
/// @param repetition tokens that a caption has already are less likely by this factor on their score; 1 for none
public record Generation(Marks marks, int longest, int shortest, double repetition, Search search) {
  /// The ids that a caption begins with, that ends it, and that follow.
  public record Marks(int start, int end, int pad) {}

  /// How the next token is chosen.
  public sealed interface Search {}

  /// The best of `count` captions that are followed side by side, by the mean of its tokens' log-probabilities.
  public record Beams(int count) implements Search {
    public Beams {
      Settings.atLeast("beams", count, 1);
    }
  }

  /// Token by token by chance.
  ///
  /// @param topK of the so many likeliest; 0 for all. 1 is the greedy search
  /// @param topP of the likeliest that have this share of the probability together; 1 for all
  /// @param temperature scores are divided by it
  public record Sampled(int topK, double topP, double temperature, long seed) implements Search {
    public Sampled {
      Settings.atLeast("top-k", topK, 0);
      if (!(topP > 0 && topP <= 1))
        throw new IllegalArgumentException("top-p is " + topP + ", expected more than 0 and at most 1");
      if (!(temperature > 0))
        throw new IllegalArgumentException("temperature is " + temperature + ", expected more than 0");
    }
  }

  /// The likeliest token each time.
  public static final Search GREEDY = new Sampled(1, 1, 1, 0);

  public Generation {
    if (longest <= shortest)
      throw new IllegalArgumentException("a caption of at most " + longest + " tokens and at least " + shortest
          + ", expected more room between them");
    if (!(repetition > 0))
      throw new IllegalArgumentException("repetition penalty is " + repetition + ", expected more than 0");
  }
}
