package jacquard.clip.cli.train.options;

import jacquard.clip.checkpoint.ModelFiles;
import jacquard.clip.hub.Hub;
import jacquard.clip.hub.Published;
import jacquard.clip.image.PreprocessConfig;
import jacquard.clip.model.ClipConfig;
import jacquard.clip.train.task.Caption;
import jacquard.clip.train.task.Contrastive;
import jacquard.clip.train.task.Distill;
import jacquard.clip.train.task.Foretell;
import jacquard.clip.train.task.Task;
import jacquard.clip.tune.mim.MaskedImages;
import java.io.IOException;
import picocli.CommandLine.Option;

/// By which loss a model is trained.
public final class TaskOptions {
  @Option(names = "--siglip", description =
      "The sigmoid loss in place of the softmax loss; the scale begins at 10 and the bias at -10.")
  boolean sigmoid;
  @Option(names = "--distill-model", paramLabel = "NAME", description =
      "A teacher whose logits are learnt beside the pairs: a preset, or a JSON file in OpenCLIP's form (default: that "
      + "of --distill-pretrained).")
  String teacher;
  @Option(names = "--distill-pretrained", paramLabel = "PATH", description =
      "The teacher's weights, as --pretrained takes them: a tag of --distill-model, a folder, a file, or "
          + "hf-hub:ORG/NAME.")
  public String weights;

  @Option(names = "--coca-caption-loss-weight", paramLabel = "W", defaultValue = "2", description =
      "Of models that write captions (CoCa): the weight of the caption loss beside the contrastive one (default: "
          + "${DEFAULT-VALUE}).")
  double captionWeight;
  @Option(names = "--coca-contrastive-loss-weight", paramLabel = "W", defaultValue = "1", description =
      "Of such models: the weight of the contrastive loss; 0 leaves it out (default: ${DEFAULT-VALUE}).")
  double contrastiveWeight;

  @Option(names = "--mim-teacher", paramLabel = "PATH", description =
      "Masked image modelling in place of pairs (EVA): the image tower learns what this CLIP, which stays as it is, "
          + "sees of hidden patches; its weights, as --pretrained takes them. Captions are not read.")
  public String maskTeacher;
  @Option(names = "--mim-teacher-model", paramLabel = "NAME", description =
      "The model that a tag or a bare file of --mim-teacher is of: a preset, or a JSON file in OpenCLIP's form.")
  String maskTeacherModel;
  @Option(names = "--mim-share", paramLabel = "S", defaultValue = "0.41", description =
      "How much of a picture is hidden (default: ${DEFAULT-VALUE}, as EVA-02's 105 of 256 patches).")
  double maskShare;

  /// Whether captions and the text tower are left aside.
  public boolean masked() { return maskTeacher != null; }

  /// As OpenCLIP begins with --siglip: scale 10, bias -10.
  public ClipConfig begun(ClipConfig config) {
    return sigmoid && config.compares() && config.logitBias().isEmpty()
        ? config.with("init_logit_scale=" + Math.log(10), "init_logit_bias=-10") : config;
  }

  public Contrastive.Loss loss() { return sigmoid ? Contrastive.Loss.SIGMOID : Contrastive.Loss.SOFTMAX; }

  /// @param pictures how the student's pictures are prepared, which the teacher sees too
  public Task.Recipe recipe(Contrastive.Recipe student, PreprocessConfig pictures) throws IOException {
    var counts = counts();
    if (maskTeacherModel != null && maskTeacher == null)
      throw new IllegalArgumentException("--mim-teacher-model " + maskTeacherModel + " needs --mim-teacher, its "
          + "weights");
    if (masked()) {
      if (sigmoid || teacher != null || weights != null || !student.config().compares() || student.config().captions())
        throw new IllegalArgumentException("--mim-teacher trains the image tower of a CLIP by hidden patches alone; "
            + "--siglip, --distill-… and models that write captions come after it, with --pretrained-image");
      var files = teacher(maskTeacherModel, maskTeacher, pictures);
      return new MaskedImages.Recipe(student, files.config().model(), files.weights(), maskShare);
    }
    if (!student.config().compares()) {
      if (sigmoid || teacher != null || weights != null)
        throw new IllegalArgumentException("--siglip and --distill-… compare pictures with texts; this model "
            + "foretells captions and is trained by that alone");
      if (student.image() != null)
        throw new IllegalArgumentException("--pretrained-image with a model whose one trunk reads pictures and words");
      return new Foretell.Recipe(student.config(), student.start(), student.locks(), student.seed());
    }
    if (teacher == null && weights == null)
      return student.config().captions() ? new Caption.Recipe(student, counts) : student;
    if (student.config().captions())
      throw new IllegalArgumentException(
          "--distill-model with a model that writes captions: it is trained by its own loss");
    if (weights == null)
      throw new IllegalArgumentException("--distill-model " + teacher
          + " needs --distill-pretrained, the teacher's weights");
    if (sigmoid)
      throw new IllegalArgumentException(
          "--siglip with --distill-model: distillation compares softmax distributions over a batch");
    var files = teacher(teacher, weights, pictures);
    return new Distill.Recipe(student, files.config().model(), files.weights());
  }

  private Caption.Weights counts() {
    if (!(captionWeight >= 0))
      throw new IllegalArgumentException("--coca-caption-loss-weight " + captionWeight + ", expected 0 or more");
    if (!(contrastiveWeight >= 0))
      throw new IllegalArgumentException("--coca-contrastive-loss-weight " + contrastiveWeight
          + ", expected 0 or more");
    if (captionWeight + contrastiveWeight == 0)
      throw new IllegalArgumentException("--coca-caption-loss-weight and --coca-contrastive-loss-weight are both 0: "
          + "nothing would be learned; give one of them more");
    return new Caption.Weights(captionWeight, contrastiveWeight);
  }

  /// @param name null where the weights say it
  private static ModelFiles teacher(String name, String weights, PreprocessConfig pictures) throws IOException {
    var files = new Published(Hub.current()).files(name == null ? weights : name, name == null ? null : weights);
    var expected = files.config().preprocess();
    if (!expected.mean().equals(pictures.mean()) || !expected.std().equals(pictures.std()))
      throw new IllegalArgumentException(
          ("the teacher's pictures have the mean %s and the deviation %s, the student's %s and %s; give the teacher's "
          + "with --image-mean and --image-std")
          .formatted(expected.mean(), expected.std(), pictures.mean(), pictures.std()));
    return files;
  }
}
