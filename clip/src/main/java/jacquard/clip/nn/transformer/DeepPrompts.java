package jacquard.clip.nn.transformer;

import jacquard.tensor.Sequences;
import jacquard.tensor.Tensor;
import java.util.List;

/// Learned rows that take the place of others before a transformer's blocks (deep prompts, Jia et al. 2022; MaPLe,
/// Khattak et al. 2023).
///
/// @param rows before block 1, 2, … of each sequence, `[prompts, width]`; block 0 takes what comes in
/// @param at   the first position of a sequence that is replaced; below zero it counts rows from the sequence's end
public record DeepPrompts(List<Tensor> rows, int at) {
  /// The rows of x `[rows, width]` as the block of a number takes them.
  public Tensor before(int block, Tensor x, Sequences sequences) {
    if (block == 0 || block > rows.size()) return x;
    var prompt = rows.get(block - 1);
    return x.dim(0) == 0 ? x : Tensor.concat(0, List.of(x, prompt)).gather(replaced(x.dim(0), prompt.dim(0),
        sequences));
  }

  private int[] replaced(int n, int prompts, Sequences sequences) {
    int[] r = new int[n];
    for (int i = 0; i < n; i++) r[i] = i;
    for (int s = 0; s < sequences.count(); s++) {
      int from = sequences.from(s), to = sequences.to(s);
      // rows before a sequence's own may be those of another
      int length = at < 0 || from == to ? to - from : sequences.positions()[to - 1] + 1;
      int first = at < 0 ? length + at : at;
      if (first < 0 || first + prompts > length)
        throw new IllegalArgumentException("a sequence of " + length + " rows has no room for " + prompts
            + " prompts at " + at);
      for (int i = from; i < to; i++) {
        int p = (at < 0 ? i - from : sequences.positions()[i]) - first;
        if (p >= 0 && p < prompts) r[i] = n + p;
      }
    }
    return r;
  }
}
