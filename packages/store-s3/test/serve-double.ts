// Serves the double until its standard input ends: for benchmarks, which talk to it as to any server.
import { ACCESS_KEY, BUCKET, S3Double, SECRET_KEY } from './s3-double.ts';

const double = await S3Double.start();
// Every test looks at the requests; nobody does here.
double.interfere = () => {
  double.requests.length = 0;
  return undefined;
};
console.log(JSON.stringify([double.endpoint, BUCKET, ACCESS_KEY, SECRET_KEY]));
process.stdin.resume().once('end', () => void double.close());
