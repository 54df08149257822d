process.stdout.write("cmodx\n");
