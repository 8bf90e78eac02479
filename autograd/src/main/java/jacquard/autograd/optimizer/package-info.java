/// Optimizers beside AdamW: how a parameter changes, composed of ops, as timm's of the same names.
package jacquard.autograd.optimizer;
