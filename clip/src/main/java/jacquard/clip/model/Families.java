package jacquard.clip.model;

import jacquard.clip.model.coca.CaptionDecoder;
import jacquard.clip.model.genlip.GenLip;
import jacquard.clip.model.genlip.PatchConfig;
import jacquard.clip.model.hf.HuggingFaceTower;
import jacquard.clip.model.hf.HuggingFaceConfig;
import jacquard.clip.model.modern.ModernTextConfig;
import jacquard.clip.model.modern.ModernTextTransformer;
import jacquard.clip.model.resnet.ModifiedResNet;
import jacquard.clip.model.resnet.ResNetConfig;
import jacquard.clip.model.text.ClipTextConfig;
import jacquard.clip.model.text.TextTransformer;
import jacquard.clip.model.timm.TimmConfig;
import jacquard.clip.model.timm.convnext.ConvNext;
import jacquard.clip.model.timm.efficientnet.EfficientNet;
import jacquard.clip.model.timm.eva.Eva;
import jacquard.clip.model.timm.naflex.NaFlexVit;
import jacquard.clip.model.timm.fastvit.FastVit;
import jacquard.clip.model.timm.hybrid.Hybrid;
import jacquard.clip.model.timm.relpos.RelPosVit;
import jacquard.clip.model.timm.swin.Swin;
import jacquard.clip.model.timm.vit.TimmVit;
import jacquard.clip.model.tower.ImageTower;
import jacquard.clip.model.tower.TextTower;
import jacquard.clip.model.vit.VisionTransformer;
import jacquard.clip.model.vit.VitConfig;
import jacquard.clip.nn.Init;
import jacquard.clip.settings.Nearest;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;

/// The families of towers: the one place that names them all. A row says how a config becomes a tower, or what is not
/// built yet.
final class Families {
  private Families() {}

  /// @param name the family's, for people to read
  /// @param tower makes it of the model's config, which holds the family's own; null where it is not built yet
  /// @param missing what is not built yet, or ""
  record Row<T>(String name, BiFunction<ClipConfig, Init.Maker, T> tower, String missing) {
    static <T> Row<T> of(String name, BiFunction<ClipConfig, Init.Maker, T> tower) {
      return new Row<>(name, tower, "");
    }
    static <T> Row<T> missing(String name, String missing) { return new Row<>(name, null, missing); }
  }

  static Row<ImageTower> image(ImageConfig config) {
    return switch (config) {
      case VitConfig v -> Row.of("ViT", (c, make) -> VisionTransformer.of(v, c, make));
      case ResNetConfig r -> Row.of("ResNet", (c, make) -> ModifiedResNet.of(r, c, make));
      case PatchConfig p -> Row.of("GenLIP", (c, make) -> GenLip.of(p, c, make));
      case TimmConfig t when NaFlexVit.known(t) ->
          row("timm NaFlex", NaFlexVit.refused(t), (c, make) -> NaFlexVit.of(t, c, make));
      case TimmConfig t when TimmVit.known(t) ->
          row("timm ViT", TimmVit.refused(t), (c, make) -> TimmVit.of(t, c, make));
      case TimmConfig t when Eva.known(t) -> row("timm EVA", Eva.refused(t), (c, make) -> Eva.of(t, c, make));
      case TimmConfig t when ConvNext.known(t) ->
          row("timm ConvNeXt", ConvNext.refused(t), (c, make) -> ConvNext.of(t, c, make));
      case TimmConfig t when Swin.known(t) -> row("timm Swin", Swin.refused(t), (c, make) -> Swin.of(t, c, make));
      case TimmConfig t when FastVit.known(t) ->
          row("timm FastViT", FastVit.refused(t), (c, make) -> FastVit.of(t, c, make));
      case TimmConfig t when Hybrid.known(t) ->
          row("timm hybrid ViT", Hybrid.refused(t), (c, make) -> Hybrid.of(t, c, make));
      case TimmConfig t when EfficientNet.known(t) ->
          row("timm EfficientNet", EfficientNet.refused(t), (c, make) -> EfficientNet.of(t, c, make));
      case TimmConfig t when RelPosVit.known(t) ->
          row("timm ViT with relative positions", RelPosVit.refused(t), (c, make) -> RelPosVit.of(t, c, make));
      case TimmConfig t -> Row.missing("timm", "timm tower " + t.name()
          + near(t.name(), Presets.values("vision_cfg", "timm_model_name")));
    };
  }

  private static String near(String name, Set<String> known) {
    var question = known.contains(name) ? "" : Nearest.question(name, known);
    return question.isEmpty() ? "" : "." + question;
  }

  private static <T> Row<T> row(String name, Optional<String> refused, BiFunction<ClipConfig, Init.Maker, T> tower) {
    return refused.isPresent() ? Row.missing(name, refused.get()) : Row.of(name, tower);
  }

  static Row<TextTower> text(TextConfig config) {
    return switch (config) {
      case ClipTextConfig t -> Row.of("CLIP text", (c, make) -> TextTransformer.of(t, c, make));
      case ModernTextConfig t -> Row.of("modern text", (c, make) -> ModernTextTransformer.of(t, c, make));
      case HuggingFaceConfig h when HuggingFaceTower.known(h) ->
          row("Hugging Face text", HuggingFaceTower.refused(h), (c, make) -> HuggingFaceTower.of(h, c, make));
      case HuggingFaceConfig h -> Row.missing("Hugging Face text", "Hugging Face text tower "
          + h.described() + near(h.name(), Presets.values("text_cfg", "hf_model_name")));
    };
  }

  /// The row of what a model has beside two towers; empty for one that has no more.
  static Optional<Row<CaptionDecoder>> whole(ClipConfig clip) {
    var other = clip.other();
    if (!clip.compares() && GenLip.refused(clip).isPresent())
      return Optional.of(Row.missing("GenLIP", GenLip.refused(clip).get()));
    if (!other.genlapCfg().isEmpty()) return Optional.of(Row.missing("GenLAP", "GenLAP (genlap_cfg)"));
    if (!other.audioCfg().isEmpty() || !other.audioNaflexCfg().isEmpty())
      return Optional.of(Row.missing("CLAP", "CLAP audio tower " + other.audioCfg().getOrDefault("model_type", "")));
    return clip.captions() ? Optional.of(row("CoCa", CaptionDecoder.refused(clip), CaptionDecoder::of))
        : Optional.empty();
  }
}
