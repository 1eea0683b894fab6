module todo/toolchain/pause

go 1.24
