/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/jobs.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/clock.h"

void ph_jobs_init(struct ph_jobs *jobs, size_t count, struct ph_budget *budget)
{
    *jobs = (struct ph_jobs){.count = count};
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->changed, NULL);
    jobs->all = ph_xcalloc(count, sizeof(*jobs->all));
    jobs->tail = &jobs->head;
    for (size_t i = 0; i < count; i++) {
        jobs->all[i].payload.budget = budget;
        jobs->all[i].next = jobs->unused;
        jobs->unused = &jobs->all[i];
    }
}

void ph_jobs_finish(struct ph_jobs *jobs)
{
    for (size_t i = 0; i < jobs->count; i++) {
        ph_buffer_finish(&jobs->all[i].payload);
    }
    free(jobs->all);
    pthread_cond_destroy(&jobs->changed);
    pthread_mutex_destroy(&jobs->lock);
}

static bool is_request(const struct ph_job *job)
{
    return job->type == PH_JOB_PICTURE || job->type == PH_JOB_FRAME;
}

static bool must_wait_locked(const struct ph_jobs *jobs, uint32_t most)
{
    return !jobs->cancelled &&
            (!jobs->unused || (most && jobs->in_flight >= most));
}

struct ph_job *ph_jobs_acquire(struct ph_jobs *jobs, uint32_t most_in_flight)
{
    pthread_mutex_lock(&jobs->lock);
    while (must_wait_locked(jobs, most_in_flight)) {
        pthread_cond_wait(&jobs->changed, &jobs->lock);
    }
    struct ph_job *job = jobs->cancelled ? NULL : jobs->unused;
    if (job) {
        jobs->unused = job->next;
        job->next = NULL;
        job->payload.len = 0;
    }
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

void ph_jobs_push(struct ph_jobs *jobs, struct ph_job *job)
{
    pthread_mutex_lock(&jobs->lock);
    *jobs->tail = job;
    jobs->tail = &job->next;
    jobs->in_flight += is_request(job);
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}

static void release_locked(struct ph_jobs *jobs, struct ph_job *job)
{
    job->next = jobs->unused;
    jobs->unused = job;
    pthread_cond_broadcast(&jobs->changed);
}

void ph_jobs_release(struct ph_jobs *jobs, struct ph_job *job)
{
    pthread_mutex_lock(&jobs->lock);
    release_locked(jobs, job);
    pthread_mutex_unlock(&jobs->lock);
}

uint32_t ph_jobs_in_flight(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    uint32_t count = jobs->in_flight;
    pthread_mutex_unlock(&jobs->lock);
    return count;
}

bool ph_jobs_are_done(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    bool done = !jobs->head && !jobs->busy;
    pthread_mutex_unlock(&jobs->lock);
    return done;
}

struct ph_job *ph_jobs_pop(
        struct ph_jobs *jobs, int64_t wait_ms, bool *timed_out)
{
    struct timespec until = ph_clock_wall_ms(wait_ms < 0 ? 0 : wait_ms);
    int err = 0;
    pthread_mutex_lock(&jobs->lock);
    while (!jobs->head && !jobs->closed && err != ETIMEDOUT) {
        err = wait_ms < 0
                ? pthread_cond_wait(&jobs->changed, &jobs->lock)
                : pthread_cond_timedwait(&jobs->changed, &jobs->lock, &until);
    }
    struct ph_job *job = jobs->cancelled ? NULL : jobs->head;
    if (job) {
        jobs->head = job->next;
        jobs->tail = jobs->head ? jobs->tail : &jobs->head;
        jobs->busy = true;
    }
    *timed_out = !job && !jobs->closed;
    pthread_mutex_unlock(&jobs->lock);
    return job;
}

void ph_jobs_answered(struct ph_jobs *jobs, const struct ph_job *job)
{
    if (is_request(job)) {
        pthread_mutex_lock(&jobs->lock);
        jobs->in_flight--;
        pthread_cond_broadcast(&jobs->changed);
        pthread_mutex_unlock(&jobs->lock);
    }
}

void ph_jobs_done(struct ph_jobs *jobs, struct ph_job *job)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->busy = false;
    release_locked(jobs, job);
    pthread_mutex_unlock(&jobs->lock);
}

void ph_jobs_trim(struct ph_jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    for (struct ph_job *job = jobs->unused; job; job = job->next) {
        ph_buffer_finish(&job->payload);
    }
    pthread_mutex_unlock(&jobs->lock);
}

void ph_jobs_close(struct ph_jobs *jobs, bool cancel)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->closed = true;
    jobs->cancelled = jobs->cancelled || cancel;
    pthread_cond_broadcast(&jobs->changed);
    pthread_mutex_unlock(&jobs->lock);
}
