package jacquard.clip.cli.train;

import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.model.HubConfig;
import jacquard.clip.model.Presets;
import jacquard.clip.train.task.Caption;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Distill;
import jacquard.clip.train.task.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/// By which loss a model is trained.
final class TaskOptions {
  @Option(names = "--siglip", description =
      "The sigmoid loss in place of the softmax loss; the scale begins at 10 and the bias at -10.")
  boolean sigmoid;
  @Option(names = "--distill-model", paramLabel = "NAME", description =
      "A teacher whose logits are learnt beside the pairs: a preset, or a JSON file in OpenCLIP's form (default: that "
      + "of --distill-pretrained).")
  String teacher;
  @Option(names = "--distill-pretrained", paramLabel = "PATH", description =
      "The teacher's weights: a folder as OpenCLIP's hub lays it out, or a .safetensors file.")
  Path weights;

  @Option(names = "--coca-caption-loss-weight", paramLabel = "W", defaultValue = "2", description =
      "Of models that write captions (CoCa): the weight of the caption loss beside the contrastive one (default: ${DEFAULT-VALUE}).")
  double captionWeight;

  /// As OpenCLIP begins with --siglip: scale 10, bias -10.
  ClipConfig begun(ClipConfig config) {
    return sigmoid && config.logitBias().isEmpty()
        ? config.with("init_logit_scale=" + Math.log(10), "init_logit_bias=-10") : config;
  }

  Contrastive.Loss loss() { return sigmoid ? Contrastive.Loss.SIGMOID : Contrastive.Loss.SOFTMAX; }

  /// @param pictures how the student's pictures are prepared, which the teacher sees too
  Task.Recipe recipe(Contrastive.Recipe student, PreprocessConfig pictures) throws IOException {
    if (teacher == null && weights == null)
      return student.config().captions() ? new Caption.Recipe(student, captionWeight) : student;
    if (student.config().captions())
      throw new IllegalArgumentException(
          "--distill-model with a model that writes captions: it is trained by its own loss");
    if (weights == null)
      throw new IllegalArgumentException("--distill-model " + teacher
          + " needs --distill-pretrained, the teacher's weights");
    if (sigmoid)
      throw new IllegalArgumentException(
          "--siglip with --distill-model: distillation compares softmax distributions over a batch");
    var hub = weights.resolve("open_clip_config.json");
    if (teacher == null && !Files.exists(hub))
      throw new IllegalArgumentException("--distill-pretrained " + weights
          + " holds no open_clip_config.json; name the teacher's config with --distill-model");
    var config = teacher == null ? ClipConfig.read(hub) : teacher.endsWith(".json") ? ClipConfig.read(Path.of(teacher))
        : Presets.of(teacher);
    var expected = Files.exists(hub) ? HubConfig.read(hub).preprocess() : HubConfig.preprocess(config);
    if (!expected.mean().equals(pictures.mean()) || !expected.std().equals(pictures.std()))
      throw new IllegalArgumentException(
          ("the teacher's pictures have the mean %s and the deviation %s, the student's %s and %s; give the teacher's "
          + "with --image-mean and --image-std")
          .formatted(expected.mean(), expected.std(), pictures.mean(), pictures.std()));
    return new Distill.Recipe(student, config, weights);
  }
}
