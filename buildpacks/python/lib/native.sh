# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# Explains why a package could not be compiled: what is missing on the server.

# explain_native TEXT PACKAGE: fail the build if PACKAGE could not be built because a program or a
# library's headers are missing. TEXT: all output, on one line.
explain_native() {
    local missing='' debian='' ready=''
    case $1 in
        *'pg_config executable not found'* | *'libpq-fe.h: No such file'*)
            missing='pg_config and the headers of libpq' debian=libpq-dev ;;
        *'Can not find valid pkg-config name'* | *'mysql.h: No such file'*)
            missing='pkg-config or the headers of MySQL' debian='default-libmysqlclient-dev pkg-config' ;;
        *'Python.h: No such file'*)
            missing="Python's headers" debian=python3-dev ;;
        *'libxml2 and libxslt are installed'* | *'libxml/xmlversion.h: No such file'*)
            missing='the headers of libxml2 and libxslt' debian='libxml2-dev libxslt1-dev' ;;
        *'lber.h: No such file'* | *'ldap.h: No such file'*)
            missing='the headers of OpenLDAP' debian='libldap-dev libsasl2-dev' ;;
        *'ffi.h: No such file'*)
            missing='the headers of libffi' debian=libffi-dev ;;
    esac
    local compiler="(command '([a-z0-9_/.-]*(cc|[+][+]|clang))' failed: No such file|No such file or directory: '([a-z0-9_/.-]*(cc|[+][+]|clang))')"
    local header='fatal error: ([A-Za-z0-9_./+-]+): No such file'
    if [[ -z $missing && $1 =~ $compiler ]]; then
        missing="a compiler (${BASH_REMATCH[2]:-${BASH_REMATCH[4]}})" debian=build-essential
    elif [[ -z $missing && $1 =~ $header ]]; then
        missing=${BASH_REMATCH[1]}
    fi
    [[ -n $missing ]] || return 0
    # The one package whose prebuilt form has another name.
    [[ $2 != psycopg2 && $2 != psycopg2[=\<\>~!@\ ]* ]] \
        || ready="Use psycopg2-binary instead in $listed_in: it is prebuilt and has the same import name."
    local install="Or have an administrator install it on the server: sudo apt-get install $debian"
    [[ -n $debian ]] || install="Or an administrator installs the Debian package that has it (apt-file search $missing)."
    fail "The dependency $2 could not be built ($listed_in): the server lacks $missing." \
        "${ready:-A version with a prebuilt wheel for Python $python_version avoids that.}" "$install"
}
