#pragma once
#include <stdio.h>
#include <solv/knownid.h>
#include <solv/pool.h>
#include <solv/dataiterator.h>
#include <solv/poolarch.h>
#include <solv/problems.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/repo_repomdxml.h>
#include <solv/repo_rpmmd.h>
#include <solv/solv_xfopen.h>
#include <solv/solver.h>
#include <solv/transaction.h>

/* pool_id2solvable is an inline function over an array whose bounds nobody checks; this one does. */
static inline Solvable *retrace_solvable(Pool *pool, Id id)
{
    return id > 0 && id < pool->nsolvables ? pool->solvables + id : NULL;
}

/* Whether any solvable has this very name, as opposed to providing it. */
static inline int retrace_is_package_name(Pool *pool, Id name)
{
    Id p, pp;
    FOR_PROVIDES(p, pp, name)
        if (pool->solvables[p].name == name)
            return 1;
    return 0;
}

/* Whether anything provides this name or relation. */
static inline int retrace_is_provided(Pool *pool, Id dependency)
{
    Id p, pp;
    FOR_PROVIDES(p, pp, dependency)
        return 1;
    return 0;
}
