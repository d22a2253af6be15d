// The shortest complete use, as sdk/web/README.md has it, in a folder where the package is installed: use.mjs BUNDLE
import { readFileSync } from 'node:fs';
import { Handpick } from 'handpick';

const handpick = await Handpick.load();
const model = handpick.openModel(readFileSync(process.argv[2]));
const session = model.newSession();
session.append({ movie_id: [50, 296], genre: ['Crime', 'Thriller'] });
for (const { id, score } of session.recommend(10, { user: 'recent' })) console.log(id, score.toFixed(3));
model.close();
