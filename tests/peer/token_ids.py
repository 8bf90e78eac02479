"""Compares ids with the real libraries: token_ids.py TEXTS SOURCE IDS… (see tests/peer/tokenizers). SOURCE is a folder with a tokenizer.json, or a SentencePiece model."""
import json
import pathlib
import sys
import time

texts = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
failed = 0
for source, ours in zip(sys.argv[2::2], sys.argv[3::2]):
    path = pathlib.Path(source)
    start = time.perf_counter()
    if path.is_dir():
        import tokenizers
        library = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json"))
        library.no_truncation()
        encode = lambda s: library.encode(s, add_special_tokens=False).ids
    else:
        import sentencepiece
        library = sentencepiece.SentencePieceProcessor(model_file=str(path))
        encode = library.encode
    start = time.perf_counter()
    theirs = [encode(s) for s in texts]
    seconds = time.perf_counter() - start
    differ = [(s, a, b) for s, a, b in zip(texts, theirs, map(json.loads, open(ours))) if a != b]
    print(f"{source}: {len(texts) - len(differ)} of {len(texts)} texts equal; {seconds:.2f} s on one thread")
    for s, a, b in differ[:8]:
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        print(f"  {ascii(s)[:300]}\n    theirs from {at}: {a[at:at + 12]}\n    ours   from {at}: {b[at:at + 12]}")
    failed += len(differ)
sys.exit(failed > 0)
