#!/bin/sh
# What the discriminators do to the shared features: the maps of docs/datnet-map.png (Figure 3 of Zhou et
# al., 2019), of three taggers that learn from 100 Spanish sentences and CoNLL-2003 English.
#
#   sh docs/studies/datnet-map.sh
#
# from the root of the repository. The data are not part of it: see docs/data.md.
set -e
spanish=../shared/data/conll2002-es
english=../shared/data/conll2003-en/eng.train
reading="--encoding latin-1 --scheme IOB1"
out=docs/studies/datnet/maps
mkdir -p "$out"
LC_ALL=C awk -v RS= -v ORS='\n\n' 'NR <= 100' "$spanish/esp.train" > "$out/target.train"
jointner vectors "$spanish/esp.train" "$spanish/esp.testa" "$english" $reading \
    --dimension 50 --epochs 20 -o "$out/vectors.bin"
for discriminator in none plain grad; do
    jointner train --system datnet --discriminator "$discriminator" --source "$english" \
        --target "$out/target.train" --dev "$spanish/esp.testa" $reading \
        --vectors "$out/vectors.bin" --learning-rate 0.003 --decay 0.05 --bad-epochs 30 \
        --average-weights 0.99 --epochs 6 -o "$out/$discriminator"
done
jointner map "$out/none/best-model.pt" "$out/plain/best-model.pt" "$out/grad/best-model.pt" \
    --source "$english" --target "$spanish/esp.testb" $reading -o docs/datnet-map.png
