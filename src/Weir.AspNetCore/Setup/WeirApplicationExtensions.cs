using Microsoft.Extensions.DependencyInjection;
using Weir.AspNetCore;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Puts Weir into the pipeline.</summary>
public static class WeirApplicationExtensions
{
    /// <summary>
    /// Limits requests from here on. Put it after <c>UseForwardedHeaders</c>, <c>UseRouting</c> and <c>UseAuthentication</c>, which say whose request it is and
    /// for which endpoint, and before what is to be protected.
    /// </summary>
    /// <param name="app">The application.</param>
    /// <exception cref="InvalidOperationException">The services were not added.</exception>
    public static IApplicationBuilder UseWeir(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        if (app.ApplicationServices.GetService<BackendChoice>() is null)
            throw new InvalidOperationException("UseWeir needs its services. Call builder.Services.AddWeir(...) first.");
        return app.UseMiddleware<LimitMiddleware>();
    }
}
