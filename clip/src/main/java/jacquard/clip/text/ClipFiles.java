package jacquard.clip.text;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/// CLIP's own tokenizer as the files that other libraries read it from: transformers' `vocab.json`, `merges.txt` and
/// what says that they are CLIP's.
public final class ClipFiles {
  private static final String START = "<|startoftext|>", END = "<|endoftext|>";

  private ClipFiles() {}

  /// Contents by the file's name: texts, and JSON objects as maps.
  ///
  /// @param context tokens of the longest text
  public static Map<String, Object> of(int context) throws IOException {
    var merges = new StringBuilder("#version: 0.2\n");
    var ids = new LinkedHashMap<String, Object>();
    for (var end : List.of("", "</w>")) for (char c : bytes()) ids.put(c + end, ids.size());
    try (var in = new BufferedReader(new InputStreamReader(new GZIPInputStream(
        BytePairs.class.getResourceAsStream(BytePairs.NAME)), StandardCharsets.UTF_8))) {
      in.readLine();
      for (int i = 0; i < BytePairs.MERGES; i++) {
        var line = in.readLine();
        merges.append(line).append('\n');
        ids.put(line.replace(" ", ""), ids.size());
      }
    }
    ids.put(START, ids.size());
    ids.put(END, ids.size());
    var special = new LinkedHashMap<String, Object>(Map.of("bos_token", START, "eos_token", END, "pad_token", END,
        "unk_token", END));
    var config = new LinkedHashMap<String, Object>(special);
    config.put("tokenizer_class", "CLIPTokenizer");
    config.put("model_max_length", context);
    config.put("do_lower_case", true);
    config.put("add_prefix_space", false);
    config.put("errors", "replace");
    return Map.of("vocab.json", ids, "merges.txt", merges.toString(), "tokenizer_config.json", config,
        "special_tokens_map.json", special);
  }

  /// The characters that stand for the bytes, in the order of their ids: those that print, then the others.
  private static char[] bytes() {
    var r = new char[256];
    int n = 0, next = 256;
    for (int b = 0; b < 256; b++) if (prints(b)) r[n++] = (char) b;
    while (n < 256) r[n++] = (char) next++;
    return r;
  }

  private static boolean prints(int b) {
    return b >= 0x21 && b <= 0x7e || b >= 0xa1 && b <= 0xac || b >= 0xae;
  }
}
