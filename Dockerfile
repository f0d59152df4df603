# The weir command: a node, and every other command of it.
#
#   docker build -t weir . && docker run --rm -p 8000:8000 weir

ARG DOTNET_VERSION=10.0

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET_VERSION} AS build
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /src
# What decides about packages comes first: as long as it stays the same, so does the layer with the packages.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props ./
COPY src/Weir.Core/Weir.Core.csproj src/Weir.Core/
COPY src/Weir.Resp/Weir.Resp.csproj src/Weir.Resp/
COPY src/Weir.Redis/Weir.Redis.csproj src/Weir.Redis/
COPY src/Weir.LoadGen/Weir.LoadGen.csproj src/Weir.LoadGen/
COPY src/Weir.Server/Weir.Server.csproj src/Weir.Server/
COPY src/Weir.Cli/Weir.Cli.csproj src/Weir.Cli/
# Compiled ahead of time, so that the first requests after a start are as quick as those after them.
ENV PublishReadyToRun=true
RUN dotnet restore src/Weir.Cli/Weir.Cli.csproj --use-current-runtime
COPY .editorconfig BannedSymbols.txt ./
COPY src/ src/
ARG REVISION=
# What analyzers say about the sources is settled before they come here; leaving them out halves the time.
RUN dotnet publish src/Weir.Cli/Weir.Cli.csproj -c Release --no-restore --use-current-runtime --no-self-contained -o /app -p:RunAnalyzers=false -p:SourceRevisionId="$REVISION" -p:GenerateDocumentationFile=false

FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET_VERSION}
COPY --from=build /app /app
ENV PATH=/app:$PATH RATELIMITER_NODE_PORT=8000
# 1654, a user without rights that Microsoft's images bring along.
USER 1654
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["weir", "health"]
ENTRYPOINT ["weir"]
CMD ["serve"]
