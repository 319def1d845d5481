#!/usr/bin/env node
import process from 'node:process';
import { program } from './program.js';

process.exitCode = await program(process.argv.slice(2), {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
});
