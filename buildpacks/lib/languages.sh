# shellcheck shell=bash disable=SC2034 # variables are shared with its caller
# Recognizes, by its files, the language of an app that our own buildpacks do not build.

# other_language DIRECTORY: sets $found_file, $found_language and, as a command or a sentence,
# $found_way. Status 1 if no language is recognized.
other_language() {
    local file language pack path
    while read -r file language pack; do
        for path in "$1"/$file; do
            [[ -f $path ]] || continue
            found_file=${path##*/} found_language=${language//_/ }
            found_way="Set its buildpack, then push again: paas buildpacks:set $pack"
            return 0
        done
    done <<'LANGUAGES'
Gemfile Ruby heroku/ruby
go.mod Go heroku/go
composer.json PHP heroku/php
index.php PHP heroku/php
pom.xml Java heroku/java
build.gradle Java heroku/gradle
build.gradle.kts Java heroku/gradle
build.sbt Scala heroku/scala
project.clj Clojure heroku/clojure
*.sln .NET heroku/dotnet
*.csproj .NET heroku/dotnet
mix.exs Elixir https://github.com/HashNuke/heroku-buildpack-elixir
Cargo.toml Rust https://github.com/emk/heroku-buildpack-rust
deno.json Deno https://github.com/chibat/heroku-buildpack-deno
deno.jsonc Deno https://github.com/chibat/heroku-buildpack-deno
LANGUAGES
    for file in Dockerfile Containerfile compose.yaml compose.yml docker-compose.yml; do
        if [[ -f $1/$file ]]; then
            found_file=$file found_language='a container image'
            found_way='No images are built or run here: list what the app needs in requirements.txt or package.json, and say in a Procfile what the CMD of the image says, for example: web: gunicorn app:app'
            return 0
        fi
    done
    return 1
}
