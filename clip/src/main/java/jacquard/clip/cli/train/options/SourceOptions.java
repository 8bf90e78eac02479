package jacquard.clip.cli.train.options;

import jacquard.clip.cli.options.data.DataOptions;
import jacquard.clip.data.source.EmojiSource;
import jacquard.clip.data.source.Source;
import java.io.IOException;
import picocli.CommandLine.Option;

/// What a model learns from, and what is held out.
public final class SourceOptions {
  @Option(names = "--train-data", paramLabel = "DATA",
      description = "emoji, emoji-concepts (without 192 concepts), tar shards (shards/{00000..00041}.tar, several "
          + "sources apart "
          + "by ::), a table of paths and captions (.csv, .tsv), or a folder of pictures with .txt captions beside "
          + "them (default: ${DEFAULT-VALUE}).")
  public String train = "emoji";
  @Option(names = "--val-data", paramLabel = "DATA",
      description = "The same for the held-out pairs (default with emoji: the Twemoji family; with emoji-concepts: "
          + "the 192 concepts).")
  public String held;

  /// The pairs that are held out; null where there are none.
  public Source held(DataOptions tables) throws IOException {
    var name = held != null ? held : EmojiSource.SPLITS.contains(train + "-heldout") ? train + "-heldout" : null;
    return name == null ? null : tables.source(name);
  }
}
