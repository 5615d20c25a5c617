import type { Random } from '#lib/random.ts'

const qualities =
  `able agile amber apt bold brave breezy bright brisk calm candid clear clever cosy crisp curious daring
  deft eager early easy fair fleet fond frank free fresh gentle glad golden grand handy happy hardy honest humble
  jolly keen kind lively loyal lucid lucky mellow merry mild modest neat nimble noble novel patient placid plain plucky
  polite proud quick quiet ready robust rosy serene sharp silent sleek smart snug sober solid spry steady sturdy sunny
  swift tidy tranquil trusty upbeat vivid warm wise witty worthy zesty`.split(/\s+/)

const animals =
  `albatross alpaca antelope badger beaver bison bittern bobcat buffalo bunting camel caribou cheetah chough
  condor cormorant crane cricket curlew deer dingo dipper dolphin dormouse dove dunlin eagle egret elk falcon ferret
  finch firefly fox gannet gazelle gecko gibbon godwit goose grebe grouse gull hare heron hoopoe hornet ibex ibis jackdaw
  jaguar kestrel kite kiwi koala lapwing lark lemur leopard linnet lizard llama lynx magpie marmot marten mole moose
  newt nightjar ocelot oriole osprey otter owl oyster panda partridge pelican petrel pigeon plover puffin quail raven
  redshank robin salmon seal shrew siskin skylark snipe sparrow starling stoat stork swallow swan swift tapir teal tern
  thrush toucan turtle vole wagtail walrus warbler weasel whale wombat woodcock wren yak zebra`.split(/\s+/)

/** For what a person did not name: `calm_otter`. With `attempt` above 0 a digit makes it likelier to be free. */
export function randomName(random: Random, attempt = 0): string {
  const pick = (words: readonly string[]) => words[random.below(words.length)] ?? ''
  const name = `${pick(qualities)}_${pick(animals)}`
  return attempt === 0 ? name : `${name}${String(random.below(10))}`
}
