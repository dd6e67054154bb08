"""What the lists can be narrowed by."""

import django_filters
from django.db.models import Q, QuerySet

from django_app.imputation.models import ApiKind, Build, ImputationService, ReferencePanel
from django_app.outbox.states import STATES


class ServiceFilters(django_filters.FilterSet):
    api_type = django_filters.ChoiceFilter(choices=ApiKind.choices)
    service_type = django_filters.CharFilter()
    country = django_filters.CharFilter(lookup_expr="iexact")
    is_active = django_filters.BooleanFilter()
    sync_state = django_filters.ChoiceFilter(choices=list(STATES.items()))
    q = django_filters.CharFilter(method="search")

    def search(self, queryset: QuerySet[ImputationService], _name: str, text: str) -> QuerySet[ImputationService]:
        return queryset.filter(Q(name__icontains=text) | Q(base_url__icontains=text) | Q(location__icontains=text))


class PanelFilters(django_filters.FilterSet):
    service = django_filters.UUIDFilter(field_name="service_id")
    build = django_filters.ChoiceFilter(choices=Build.choices)
    population = django_filters.CharFilter(method="with_population")
    is_active = django_filters.BooleanFilter()
    withdrawn = django_filters.BooleanFilter(
        field_name="withdrawn_at", lookup_expr="isnull", exclude=True, label="Does the site's list no longer have it?"
    )
    q = django_filters.CharFilter(method="search")

    def with_population(self, queryset: QuerySet[ReferencePanel], _name: str, word: str) -> QuerySet[ReferencePanel]:
        return queryset.filter(populations__icontains=word)

    def search(self, queryset: QuerySet[ReferencePanel], _name: str, text: str) -> QuerySet[ReferencePanel]:
        return queryset.filter(Q(name__icontains=text) | Q(panel_id__icontains=text))


class SyncFilters(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(field_name="sync_state", choices=list(STATES.items()))
