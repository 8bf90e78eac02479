package jacquard.clip.tune.method;

import jacquard.clip.model.ClipModel;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.Method;
import jacquard.clip.tune.Start;
import jacquard.clip.tune.adapter.Adapter;
import jacquard.clip.tune.adapter.PeftConfig;
import jacquard.clip.tune.task.Adapted;
import jacquard.clip.tune.task.Classify;

/// Low-rank pairs beside the linear layers learn to tell the names apart; names are put into words by the tower as it
/// is at each step, where it has pairs too (CLIP-LoRA, Zanella and Ben Ayed 2024).
///
/// @param dropout what share of each pair's input is left out while it is trained
public record LowRankPairs(PeftConfig config, double dropout) implements Method {
  @Override public Task task(ClipModel model, Start start) {
    var fixed = model.fixedStatistics(model.visual().groups().size());
    var adapter = Adapter.fresh(fixed, config, start.seed());
    boolean texts = adapter.pairs().keySet().stream().anyMatch(p -> p.startsWith("text."));
    var classes = start.classes();
    var onto = adapter.onto(fixed, dropout);
    var task = new Classify(onto, adapter.trained(onto), classes, start.bank(model, classes.names()),
        texts ? start.captions(classes.names().subList(0, classes.fresh())) : null);
    return new Adapted(task, adapter, start.files().weights().toString(), Adapter.hash(model));
  }
}
