module sandbox/web

go 1.26
