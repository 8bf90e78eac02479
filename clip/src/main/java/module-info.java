/// CLIP: models, losses, data, training, evaluation and the launcher. It is open, since its records are read by reflection:
/// parameters by `autograd`, options by picocli.
open module jacquard.clip {
  requires transitive jacquard.tensor;
  requires transitive jacquard.autograd;
  requires transitive java.desktop;
  requires transitive com.fasterxml.jackson.databind;
  requires com.google.protobuf;
  requires info.picocli;
  requires java.management;
  requires jdk.management;
  requires jacquard.emoji;
  exports jacquard.clip;
  exports jacquard.clip.checkpoint;
  exports jacquard.clip.cli to jacquard.tests;
  exports jacquard.clip.data;
  exports jacquard.clip.eval;
  exports jacquard.clip.image;
  exports jacquard.clip.image.augment;
  exports jacquard.clip.image.resize;
  exports jacquard.clip.loss;
  exports jacquard.clip.model;
  exports jacquard.clip.model.coca;
  exports jacquard.clip.model.genlip;
  exports jacquard.clip.model.hf;
  exports jacquard.clip.model.modern;
  exports jacquard.clip.model.resnet;
  exports jacquard.clip.model.text;
  exports jacquard.clip.model.timm;
  exports jacquard.clip.model.timm.convnext;
  exports jacquard.clip.model.timm.eva;
  exports jacquard.clip.model.timm.fastvit;
  exports jacquard.clip.model.timm.hybrid;
  exports jacquard.clip.model.timm.swin;
  exports jacquard.clip.model.timm.vit;
  exports jacquard.clip.model.tower;
  exports jacquard.clip.model.vit;
  exports jacquard.clip.nn;
  exports jacquard.clip.nn.convolution;
  exports jacquard.clip.report;
  exports jacquard.clip.settings;
  exports jacquard.clip.text;
  exports jacquard.clip.text.hub;
  exports jacquard.clip.text.repair;
  exports jacquard.clip.text.sentence;
  exports jacquard.clip.train;
  exports jacquard.clip.train.task;
}
