"""What ``python -m train`` and its commands say about themselves."""

__all__ = [
    "ACCURACY",
    "CONVERT",
    "EVALUATE",
    "EXAMPLES",
    "EXPORT",
    "FIT",
    "PRETRAIN",
    "REPORT",
    "SWEEP",
    "TRAIN",
    "WEIGHTS",
]


TRAIN = """\
Train a spike-driven transformer and export it as an integer model.

A run has two phases. The float SFA network is trained first: its neurons emit whole spike counts,
its weights are real numbers. Then the same network goes on with quantised weights. Export folds it
into integers and writes the model only if every count, every residual value and every logit of the
test set equals what the quantised network computes.
"""

EXAMPLES = """\
examples:
  %(prog)s fit --config train/recipes/digits.toml --out build/digits
      train on real digits; Ctrl-C stops after the last whole epoch, --resume goes on
  %(prog)s evaluate build/digits/checkpoint.pt
      accuracy of the float, quantised and integer network
  %(prog)s export build/digits/checkpoint.pt --out build/digits/digits.safetensors
      the model file that python -m golden and python -m hw.build read
  %(prog)s fit --config train/recipes/digits.toml --out build/tuned \\
      --init build/digits/float.pt --epochs 0 20
      quantisation-aware fine-tuning of float weights
  torchrun --nproc-per-node 2 -m train fit --config train/recipes/digits.toml --out build/two
      the same run, shared by two processes
  %(prog)s accuracy --config train/recipes/digits.toml --seeds 0 1 2 --out build/accuracy
      train three networks and check the accuracy contract
"""

FIT = """\
Train a network from a TOML configuration (train/recipes/digits.toml explains itself).

DIR receives checkpoint.pt after every epoch, float.pt at the end of the float phase, log.csv and
tensorboard/ with what every epoch measured, and at the end fit.json with accuracies, seed, epochs
and seconds. The result depends on configuration, seed, starting weights and number of threads only;
a resumed run gives the same bits as one that was not interrupted.
"""

PRETRAIN = """\
Pre-train a network on images without their labels: half of the patches of each image are hidden,
and a decoder that is thrown away afterwards guesses their pixels.

DIR receives pretrained.pt after every epoch, with log.csv and tensorboard/ beside it. Fine-tuning
starts from it: python -m train fit --init DIR/pretrained.pt --config ...
"""

EVALUATE = """\
Print the accuracy of a checkpoint on the test set: of the float SFA network if the checkpoint
is of the float phase, of the quantised network and of its integer model otherwise.
"""

WEIGHTS = """\
Write the weights of a checkpoint alone, without the optimizer, as a file that fit --init starts
from: the moving average if the run keeps one, in the middle of a phase as well as at its end.
"""

EXPORT = """\
Fold a quantised checkpoint into an integer model and write it.

First the quantised network (float64, evaluation mode) and the integer model compute the whole test
set; they must agree in every tensor, with ==. At the first difference the export names the layer
and writes nothing. A report in JSON goes beside the model (digits.json for digits.safetensors).
The model file also says how pictures come to the network's size and what the classes are called, so
that every other command takes the same folder.
"""

CONVERT = """\
Make an integer model of a checkpoint of the official repository, without training.

The checkpoint is a state_dict that torch saved, bare or as an entry of a dict, perhaps of a network
inside DistributedDataParallel (names that begin with module.) or torch.compile (_orig_mod.); which
entry was taken is said. So is whether hardware will not run the model, for want of a spike head,
and on what pixels the network is taken to have been trained.

Batch norms are folded exactly, scales are chosen per channel. Where every parameter lies on a grid
of powers of two the integer model computes the network's own float64 logits, bit for bit. Otherwise
the conversion prints, per layer, how many counts differ when the layer is given the network's own
inputs, and how often both sides choose the same class; --calibrate gives the images for that.
A report in JSON goes beside the model.
"""

ACCURACY = """\
Train one network per seed and print their accuracies: float SFA, quantised, integer model.

Exit status 1 if the median of the integer model is below 96 %% or more than 1 point below the
median of the float SFA network.
"""

SWEEP = """\
Train networks of several largest spike counts D and weight widths, and print a table in Markdown:
medians over the seeds of the float SFA network and of its integer model.

Per D and seed a float network is trained once; quantisation-aware training goes on from it with
each weight width. DIR receives a folder per run and sweep.json; --resume goes on.
"""

REPORT = """\
Run an integer model on images and write what it costs: accuracy, firing rates, histograms of spike
counts, additions per layer in both spike codes, the papers' energy formula, bits moved, and next to
it the same for a dense network with multipliers. DIR receives report.html, one page that needs no
network, and report.json.

With --curve FILE.svg several models are run: the picture shows accuracy in integers over additions
per image, with the penalty that each model was trained with, and the table is printed in Markdown.
FILE.json has the same figures.
"""
